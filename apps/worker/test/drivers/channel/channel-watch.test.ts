import { randomUUID } from "node:crypto";
import { expectClean, testMarkPrefix } from "@synthesis/testkit";
import { expect, test } from "vitest";
import type { AgentTurn, TurnEvents } from "../../../src/drivers/agent-process.ts";
import { Bridge } from "../../../src/bridge/bridge.ts";
import { ChannelProcess } from "../../../src/drivers/channel/channel-process.ts";
import { ReceivedFiles } from "../../../src/files/received-files.ts";
import { TerminalChild, type TerminalWatcher } from "../../../src/terminal/terminal-child.ts";
import { LogRecorder } from "../../support/log-recorder.ts";
import { Peer } from "../../support/peer.ts";
import { testLimits } from "../../support/test-limits.ts";

expectClean();

/** Counts who watches it. */
class CountingTerminal extends TerminalChild {
  watching = 0;

  override watch(watcher: TerminalWatcher): ReturnType<TerminalChild["watch"]> {
    const { snapshot, stop } = super.watch(watcher);
    this.watching += 1;
    return {
      snapshot,
      stop: () => {
        this.watching -= 1;
        stop();
      },
    };
  }
}

test("its screen is not watched any more for a turn that could not be begun", async () => {
  await using stack = new AsyncDisposableStack();
  const log = new LogRecorder();
  const limits = testLimits({});
  const bridge = new Bridge(limits, log);
  await bridge.start();
  stack.defer(() => bridge.close());
  let url = "";
  const claude = new ChannelProcess({
    bridge,
    inbox: new ReceivedFiles({ folder: "/received", limits, log }).inbox("s", "session"),
    session: "s",
    sessionKey: "key",
    workspacePath: "/workspace",
    program: "cat",
    limits,
    log,
    onUnsolicited: () => {},
    spawn: (bridgeUrl) => {
      url = bridgeUrl;
      const env = { PATH: process.env["PATH"] ?? "" };
      const mark = `${testMarkPrefix}watch`;
      return new CountingTerminal({
        command: "cat",
        args: [],
        cwd: process.cwd(),
        env,
        mark,
        closeMs: 500,
        log,
      });
    },
  });
  stack.defer(() => claude.kill({ code: "test", message: "the test is over" }));
  const peer = stack.use(new Peer(url));
  await peer.opened;
  peer.send({ type: "hello", pid: 1, openclaw_session: "key" });
  await claude.started;
  const events: Partial<TurnEvents> = {
    onStart: () => {
      throw new Error("disk full");
    },
  };
  const turn = { id: randomUUID(), prompt: "hi" } as AgentTurn;
  await expect(claude.run(turn, events as TurnEvents)).rejects.toThrow("disk full");
  expect((claude.terminal as CountingTerminal).watching).toBe(0);
});
