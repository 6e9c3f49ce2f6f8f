import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { claudeEnv, MessagesStandIn, pinnedClaude, reply } from "@synthesis/testkit";
import { expect, test } from "vitest";
import { TestBridge } from "../../protocol/test/test-bridge.ts";
import { PLUGIN_DIR } from "./plugin-process.ts";

const TOOL = "mcp__plugin_synthesis_bridge__reply";

test(
  "the real Claude Code loads the plugin, and its call of reply reaches the bridge",
  { timeout: 60_000 },
  async () => {
    await using stack = new AsyncDisposableStack();
    const home = await mkdtemp(join(tmpdir(), "synthesis-plugin-"));
    stack.defer(() => rm(home, { recursive: true, force: true, maxRetries: 5 }));
    const bridge = stack.use(await TestBridge.listen());
    const api = stack.use(await MessagesStandIn.start());
    api.next(reply.toolUse({ name: TOOL, input: { text: "from Claude" } }), reply.text("done"));

    const format = ["--input-format", "stream-json", "--output-format", "stream-json", "--verbose"];
    const claude = spawn(
      pinnedClaude(),
      ["-p", ...format, "--plugin-dir", PLUGIN_DIR, "--allowedTools", TOOL],
      {
        cwd: home,
        env: {
          ...claudeEnv(api, home),
          SYNTHESIS_NODE: process.execPath,
          SYNTHESIS_BRIDGE_URL: bridge.url,
          SYNTHESIS_SESSION_KEY: "agent::chat",
        },
        stdio: ["pipe", "ignore", "inherit"],
      },
    );
    const exit = once(claude, "exit");
    stack.defer(async () => {
      claude.kill("SIGKILL");
      await exit;
    });

    const { peer, hello } = await bridge.greeted();
    expect(hello["openclaw_session"]).toBe("agent::chat");
    peer.inbound("t1", "hello");
    await peer.rest();
    const message = { type: "user", message: { role: "user", content: "Answer the channel." } };
    claude.stdin.write(`${JSON.stringify(message)}\n`);
    expect(await peer.next()).toEqual({
      type: "reply",
      content: "from Claude",
      final: true,
      message_id: "t1",
    });

    claude.stdin.end();
    expect(await exit).toEqual([0, null]);
    // The plugin has gone with its Claude.
    await peer.closed;
  },
);
