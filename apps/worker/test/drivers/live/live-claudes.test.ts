import { randomUUID } from "node:crypto";
import { setImmediate } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { eventually, expectClean } from "@synthesis/testkit";
import { expect, test } from "vitest";
import type { AgentTurn, TurnEvents } from "../../../src/drivers/agent-process.ts";
import { ChannelWorkspace } from "../../support/channel-workspace.ts";
import { OwnClaude } from "../../support/own-claude.ts";
import { refusalOf, TerminalViewer } from "../../support/terminal-viewer.ts";
import { hashOf, testCaller } from "../../support/test-submit.ts";

expectClean();

setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as () => void;

const yours = { agent: "yours" } as const;
const LIVE = "/live?agent=yours";

test("a Claude in somebody's terminal answers clients as the agent it was started as", async () => {
  await using channel = await ChannelWorkspace.start();
  await using claude = await OwnClaude.start(channel.url(LIVE));
  expect(claude.welcome).toMatchObject({ cwd: channel.space.configuration.path });
  expect(claude.welcome.args).toContain("--permission-mode=default");
  expect((await channel.space.run("hello", yours)).answer).toBe("channel: hello");
  expect((await channel.space.run("again", yours)).answer).toBe("channel: again");
  expect(channel.space.workspace.sessions()).toMatchObject([{ agent: "yours", pid: claude.child.pid }]);
});

test("where nobody has started one the turn fails, and the message says how to", async () => {
  await using channel = await ChannelWorkspace.start();
  expect((await channel.space.run("hello", yours)).outcome).toMatchObject({
    state: "failed",
    error: { code: "agent_unavailable", message: expect.stringContaining("synthesis claude --agent yours") },
  });
  await using claude = await OwnClaude.start(channel.url(LIVE));
  expect((await channel.space.run("hello", yours)).answer).toBe("channel: hello");
  expect(claude.isAlive).toBe(true);
});

test("one that is named but not started yet fails a request at once", async () => {
  await using channel = await ChannelWorkspace.start();
  await using viewer = await TerminalViewer.open(channel.url(LIVE));
  expect((await channel.space.run("hello", yours)).outcome).toMatchObject({
    state: "failed",
    error: { code: "agent_unavailable", message: expect.stringContaining("just being started") },
  });
  expect(viewer.socket.readyState).toBe(viewer.socket.OPEN);
});

test("when it ends, its turn is interrupted and its session's process gone; another may be started", async () => {
  await using channel = await ChannelWorkspace.start();
  const { space } = channel;
  {
    await using claude = await OwnClaude.start(channel.url(LIVE));
    const turn = space.submit("!hold", yours);
    await eventually(() => expect(space.workspace.session("s").turns).toMatchObject([{ state: "started" }]));
    claude.child.kill("SIGKILL");
    claude.socket.close();
    expect((await turn.outcome).state).toBe("interrupted");
  }
  await eventually(() => expect(space.workspace.status().processes).toBe(0));
  await using next = await OwnClaude.start(channel.url(LIVE));
  expect((await space.run("hello", yours)).answer).toBe("channel: hello");
  expect(next.isAlive).toBe(true);
});

test("a second one, and an agent that is none to be started, are refused", async () => {
  await using channel = await ChannelWorkspace.start();
  await using claude = await OwnClaude.start(channel.url(LIVE));
  const refused = async (agent: string) => refusalOf(channel.url(`/live?agent=${agent}`));
  expect(await refused("yours")).toMatchObject({ error: { code: "agent_unavailable" } });
  expect(await refused("own")).toMatchObject({ error: { code: "invalid_request" } });
  expect(await refused("nobody")).toMatchObject({ error: { code: "model_not_found" } });
  expect(claude.isAlive).toBe(true);
});

test("another conversation of the same key takes it over when it is idle; one of another key never does", async () => {
  await using channel = await ChannelWorkspace.start();
  const { space } = channel;
  await using claude = await OwnClaude.start(channel.url(LIVE));
  expect((await space.run("hello", { ...yours, session: "one" })).answer).toBe("channel: hello");
  expect((await space.run("hi", { ...yours, session: "two" })).answer).toBe("channel: hi");
  const states = () => space.workspace.sessions().map(({ id, state }) => [id, state]);
  await eventually(() => expect(Object.fromEntries(states())).toEqual({ one: "cold", two: "idle" }));
  const held = space.submit("!hold", { ...yours, session: "two" });
  await held.untilAccepted();
  await eventually(() => expect(space.workspace.status().turns).toBe(1));
  expect((await space.run("busy?", { ...yours, session: "one" })).outcome).toMatchObject({
    state: "failed",
    error: { code: "agent_unavailable", message: expect.stringContaining("another conversation") },
  });
  const stranger = { ...yours, session: "three", request: { caller: hashOf("another key") } };
  expect((await space.run("mine?", stranger)).outcome).toMatchObject({
    state: "failed",
    error: { message: expect.stringContaining("another API key") },
  });
  space.workspace.cancel(held.id, "test");
  expect((await held.outcome).state).toBe("cancelled");
  expect(claude.isAlive).toBe(true);
});

test("two conversations that come at once never meet: each is answered for itself, or told to come again", async () => {
  await using channel = await ChannelWorkspace.start();
  await using claude = await OwnClaude.start(channel.url(LIVE));
  for (let round = 0; round < 20; round++) {
    const turns = ["one", "two", "three"].map(async (session) => {
      const { answer, outcome } = await channel.space.run(`${session} ${round}`, { ...yours, session });
      if (outcome.state === "completed") expect(answer).toBe(`channel: ${session} ${round}`);
      else expect(outcome).toMatchObject({ state: "failed", error: { code: "agent_unavailable" } });
      return outcome.state;
    });
    expect(await Promise.all(turns)).toContain("completed");
  }
  expect(claude.isAlive).toBe(true);
});

test("a session whose live Claude was taken before its turn was told runs nothing on it", async () => {
  await using channel = await ChannelWorkspace.start();
  await using claude = await OwnClaude.start(channel.url(LIVE));
  const { liveClaudes } = channel.space.workspace;
  const first = liveClaudes.take({ name: "yours", caller: "c" });
  const second = liveClaudes.take({ name: "yours", caller: "c" });
  await first.closed;
  expect([first.isAlive, second.isAlive]).toEqual([false, true]);
  const turn = { id: randomUUID(), prompt: "hello" } as AgentTurn;
  expect(await first.run(turn, {} as TurnEvents)).toMatchObject({ state: "not_begun" });
  expect(claude.isAlive).toBe(true);
});

/** Its plugin is not there before its owner has said `y`. */
const asking = { CLAUDE_CODE_TEST_TRUST: "ask" };

test("a message that is taken back before its plugin is there leaves it to its owner", async () => {
  await using channel = await ChannelWorkspace.start({ claudeEnv: asking });
  await using claude = await OwnClaude.start(channel.url(LIVE));
  const turn = channel.space.submit("hello", yours);
  await turn.untilAccepted();
  channel.space.workspace.cancel(turn.id, "the client left");
  expect((await turn.outcome).state).toBe("cancelled");
  claude.child.stdin?.write("y");
  expect((await channel.space.run("again", yours)).answer).toBe("channel: again");
});

test("a message that waits too long for its plugin fails, and leaves it to its owner", async () => {
  await using channel = await ChannelWorkspace.start({ claudeEnv: asking, limits: { startMs: 200 } });
  await using claude = await OwnClaude.start(channel.url(LIVE));
  expect((await channel.space.run("hello", yours)).outcome).toMatchObject({
    state: "failed",
    error: { code: "start_timeout" },
  });
  claude.child.stdin?.write("y");
  await eventually(() => expect(channel.space.workspace.status().conns).toBe(1));
  expect((await channel.space.run("again", yours)).answer).toBe("channel: again");
});

test("a session that ends before its plugin is there leaves it to its owner", async () => {
  await using channel = await ChannelWorkspace.start({ claudeEnv: asking });
  await using claude = await OwnClaude.start(channel.url(LIVE));
  const conversation = channel.space.workspace.liveClaudes.take({ name: "yours", caller: "c" });
  const end = conversation.run({ id: randomUUID(), prompt: "hello" } as AgentTurn, {} as TurnEvents);
  await conversation.close({ code: "test", message: "the session ended" });
  expect(await end).toMatchObject({ state: "not_begun" });
  claude.child.stdin?.write("y");
  await eventually(() => expect(channel.space.workspace.status().conns).toBe(1));
  expect(claude.socket.readyState).toBe(claude.socket.OPEN);
});

test("a turn that its session could not begin leaves it idle, for another conversation too", async () => {
  await using channel = await ChannelWorkspace.start();
  await using claude = await OwnClaude.start(channel.url(LIVE));
  const { liveClaudes } = channel.space.workspace;
  expect((await channel.space.run("hello", yours)).answer).toBe("channel: hello"); // its plugin is there
  const fault = new Error("the journal cannot be written");
  const onStart = () => {
    throw fault;
  };
  const events = { onStart, onStage: () => {}, onLife: () => {} } as Partial<TurnEvents> as TurnEvents;
  const conversation = liveClaudes.take({ name: "yours", caller: testCaller });
  // Once the turn before is over for its Claude too; till then the prompt waits, and what it meets is no exception.
  await eventually(async () => {
    const turn = { id: randomUUID(), prompt: "hello" } as AgentTurn;
    await expect(conversation.run(turn, events)).rejects.toBe(fault);
  });
  liveClaudes.take({ name: "yours", caller: testCaller });
  expect((await conversation.closed).code).toBe("replaced");
  expect(claude.isAlive).toBe(true);
});

test("a session that ends within its turn lets go of it", async () => {
  await using channel = await ChannelWorkspace.start();
  await using claude = await OwnClaude.start(channel.url(LIVE));
  const conversation = channel.space.workspace.liveClaudes.take({ name: "yours", caller: "c" });
  const { promise: started, resolve } = Promise.withResolvers<void>();
  const events = { onStart: resolve, onStage: () => {}, onLife: () => {}, onReasoning: () => {} };
  const turn = { id: randomUUID(), prompt: "!hold" } as AgentTurn;
  const end = conversation.run(turn, events as Partial<TurnEvents> as TurnEvents);
  await started;
  await conversation.close({ code: "test", message: "the session ended" });
  expect(await end).toMatchObject({ state: "interrupted" });
  expect(await claude.letGo).toBe("the session ended");
  expect(claude.isAlive).toBe(true);
});

test("what was a session's process is kept by nothing once another session has it", async () => {
  await using channel = await ChannelWorkspace.start();
  await using claude = await OwnClaude.start(channel.url(LIVE));
  const { liveClaudes } = channel.space.workspace;
  const taken = () => new WeakRef(liveClaudes.take({ name: "yours", caller: "c" }));
  const first = taken();
  const last = taken();
  await eventually(async () => {
    await setImmediate();
    collectGarbage();
    expect(first.deref()).toBeUndefined();
  });
  expect(last.deref()?.isAlive).toBe(true);
  expect(claude.isAlive).toBe(true);
});

test("a cancelled turn leaves it alive and connected, and its owner too", async () => {
  await using channel = await ChannelWorkspace.start();
  const { space } = channel;
  await using claude = await OwnClaude.start(channel.url(LIVE));
  await space.run("hello", yours);
  const turn = space.submit("!hold", yours);
  await eventually(() =>
    expect(space.workspace.session("s").turns.at(-1)).toMatchObject({ state: "started" }),
  );
  space.workspace.cancel(turn.id, "the client left");
  expect((await turn.outcome).state).toBe("cancelled");
  expect((await space.run("next", yours)).answer).toBe("channel: next");
  expect(claude.isAlive).toBe(true);
});

test("P-15 a deaf one is let go of and told so; its owner's Claude goes on", async () => {
  await using channel = await ChannelWorkspace.start({
    claudeEnv: { CLAUDE_CODE_TEST_CHANNELS: "silent" },
    limits: { seenMs: 100 },
  });
  await using claude = await OwnClaude.start(channel.url(LIVE));
  expect((await channel.space.run("hello", yours)).outcome).toMatchObject({
    state: "failed",
    error: { code: "agent_unavailable", message: expect.stringContaining("driver: headless") },
  });
  expect(await claude.letGo).toBe("its turn was given up");
  expect(claude.isAlive).toBe(true);
});

test("the end of its idle time gives it up to others, and does not end it", async () => {
  await using channel = await ChannelWorkspace.start({ limits: { idleMs: 50 } });
  await using claude = await OwnClaude.start(channel.url(LIVE));
  await channel.space.run("hello", yours);
  await eventually(() => expect(channel.space.workspace.status().processes).toBe(0));
  expect(claude.isAlive).toBe(true);
  expect((await channel.space.run("again", yours)).answer).toBe("channel: again");
});

test("its worker's end lets go of it and says so", async () => {
  await using channel = await ChannelWorkspace.start();
  await using claude = await OwnClaude.start(channel.url(LIVE));
  await channel.space.run("hello", yours);
  await channel.space.close();
  expect(await claude.letGo).not.toBe("");
  expect(claude.isAlive).toBe(true);
});
