import type { AgentSettings } from "@synthesis/config";
import { eventually, expectClean, fixtures } from "@synthesis/testkit";
import { expect, test } from "vitest";
import { commandAgent, TestWorkspace, type SubmitOptions } from "../../support/test-workspace.ts";
import { defaultAsks } from "../../support/default-asks.ts";

expectClean();

const seed = { agent: "seed" } satisfies SubmitOptions;

test("P-5 the seed's plugin answers in parts, on one process from turn to turn", async () => {
  await using space = await TestWorkspace.start();
  const { turn, outcome } = await space.run("hello", seed);
  expect(outcome).toEqual({ state: "completed", finishReason: "stop" });
  expect(turn.parts.join("")).toBe("seed: hello");
  expect((await space.run("again", seed)).answer).toBe("seed: again");
  expect(space.log.fieldsOf("plugin.connected")).toHaveLength(1);
  expect(space.workspace.status()).toMatchObject({ processes: 1, conns: 1, unsolicited: 0 });
});

test("P-5 a part with final:false is streamed at once, before the end is known", async () => {
  await using space = await TestWorkspace.start();
  const turn = space.submit("!parts", seed);
  await turn.untilText("seed: one");
  expect(turn.answer).not.toContain("three");
  expect(await turn.outcome).toMatchObject({ state: "completed" });
  expect(turn.answer).toBe("seed: one two three");
});

test("P-4 a turn whose answer comes on the connection that replaced its own is completed", async () => {
  await using space = await TestWorkspace.start({ limits: { reconnectMs: 5000 } });
  const { outcome, answer } = await space.run("!twice", seed);
  expect(outcome.state).toBe("completed");
  expect(answer).toBe("seed: second");
  expect((await space.run("next", seed)).answer).toBe("seed: next");
});

test("P-7 a turn that the replacing connection never takes up is interrupted after reconnectMs", async () => {
  await using space = await TestWorkspace.start();
  const { outcome } = await space.run("!replace-silent", seed);
  expect(outcome).toMatchObject({
    state: "interrupted",
    error: { code: "turn_interrupted", message: expect.stringContaining("replaced") },
  });
  expect(space.exits).toEqual(["abandoned"]);
  expect((await space.run("next", seed)).answer).toBe("seed: next");
});

test("P-12 a peer that cannot cancel is ended at once, and the session is free", async () => {
  await using space = await TestWorkspace.start({ limits: { interruptMs: 60_000 } });
  const turn = space.submit("!hold", seed);
  const next = space.submit("next", seed);
  await turn.untilAccepted();
  await eventually(() => expect(space.workspace.status().conns).toBe(1));
  space.workspace.cancel(turn.id, "the client left");
  expect(await turn.outcome).toEqual({
    state: "cancelled",
    error: { code: "turn_cancelled", message: "the turn was cancelled: the client left" },
  });
  expect(await next.outcome).toMatchObject({ state: "completed" });
  expect(next.answer).toBe("seed: next");
});

test("P-6 a reply beside a turn is counted, never delivered", async () => {
  await using space = await TestWorkspace.start();
  const { turn, outcome } = await space.run("!late", seed);
  expect(outcome.state).toBe("completed");
  await eventually(() => expect(space.workspace.status().unsolicited).toBe(1));
  expect(turn.answer).toBe("seed: late");
  expect((await space.run("next", seed)).answer).toBe("seed: next");
});

test("P-2 a program that says hello for another session is closed with 4003 and keeps its own", async () => {
  await using space = await TestWorkspace.start();
  expect((await space.run("!fake-session", seed)).answer).toBe("seed: 4003");
});

test("a program that exits within its turn interrupts it; the next turn starts it again", async () => {
  await using space = await TestWorkspace.start();
  expect((await space.run("!exit", seed)).outcome).toMatchObject({
    state: "interrupted",
    error: { code: "turn_interrupted" },
  });
  expect((await space.run("next", seed)).answer).toBe("seed: next");
});

test("a program that says nothing within stallMs fails with stall_timeout and is ended", async () => {
  await using space = await TestWorkspace.start({ limits: { stallMs: 100 } });
  expect((await space.run("!hold", seed)).outcome).toMatchObject({
    state: "failed",
    error: { code: "stall_timeout" },
  });
  expect(space.exits).toEqual(["cancelled"]);
});

test("a program that never says hello fails with start_timeout and is ended", async () => {
  const agents = { silent: commandAgent(fixtures.neverHello) };
  await using space = await TestWorkspace.start({ agents, limits: { startMs: 300 } });
  const { outcome } = await space.run("hello", { agent: "silent" });
  expect(outcome).toMatchObject({ state: "failed", error: { code: "start_timeout" } });
  expect(space.workspace.status().processes).toBe(0);
});

test("a program that ends before its hello is agent_unavailable", async () => {
  await using space = await TestWorkspace.start({ agents: { dies: commandAgent(fixtures.diesBeforeReady) } });
  const { outcome } = await space.run("hello", { agent: "dies" });
  expect(outcome).toMatchObject({
    state: "failed",
    error: { code: "agent_unavailable", message: expect.stringContaining("exit code 3") },
  });
});

test("a program that is not there is agent_unavailable, and the message names it", async () => {
  const none: AgentSettings = {
    driver: "command",
    workspace: "w",
    command: ["/nowhere/agent"],
    env: {},
    files: "link",
    asks: defaultAsks,
  };
  const agents = { none };
  await using space = await TestWorkspace.start({ agents, limits: { processesPerWorkspace: 1 } });
  for (const attempt of [1, 2]) {
    const { outcome } = await space.run(`attempt ${attempt}`, { agent: "none" });
    expect(outcome).toMatchObject({
      state: "failed",
      error: { code: "agent_unavailable", message: expect.stringContaining('"/nowhere/agent"') },
    });
  }
});

test("{synthesis} is the checkout's folder and {node} its Node", async () => {
  const command = ["{node}", "{synthesis}/packages/testkit/src/bin/seed-plugin.ts"];
  const agents = {
    filled: {
      driver: "command" as const,
      workspace: "w",
      command,
      env: {},
      files: "link" as const,
      asks: defaultAsks,
    },
  };
  await using space = await TestWorkspace.start({ agents });
  expect((await space.run("hi", { agent: "filled" })).answer).toBe("seed: hi");
});

test("an evicted program finds its token void and its session is served by a new one", async () => {
  await using space = await TestWorkspace.start();
  await space.run("hi", seed);
  space.workspace.evictOldest();
  expect((await space.run("again", seed)).answer).toBe("seed: again");
  expect(space.exits).toEqual(["evicted"]);
});
