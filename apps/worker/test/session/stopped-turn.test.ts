import { writeFile } from "node:fs/promises";
import { eventually, expectClean, tempFolder } from "@synthesis/testkit";
import { expect, test } from "vitest";
import { TestWorkspace } from "../support/test-workspace.ts";

expectClean();

test("a running answer is cancelled by an interrupt: its process stays and goes on", async () => {
  await using space = await TestWorkspace.start();
  const pid = (await space.run("!pid")).answer;
  const turn = space.submit("!slow 1000 20");
  await turn.untilText("w2");
  space.workspace.cancel(turn.id, "the client left");
  expect(await turn.outcome).toEqual({
    state: "cancelled",
    error: { code: "turn_cancelled", message: "the turn was cancelled: the client left" },
  });
  expect((await space.run("!pid")).answer).toBe(pid);
});

test.for(["!hang", "!hang-stubborn"])(
  "%s is cancelled within interruptMs by killing its process; the next turn resumes",
  async (prompt) => {
    await using space = await TestWorkspace.start({ limits: { interruptMs: 100 } });
    await space.run("hi");
    const turn = space.submit(prompt);
    await turn.untilAccepted();
    space.workspace.cancel(turn.id, "the client left");
    expect(await turn.outcome).toMatchObject({ state: "cancelled" });
    expect(space.exits).toEqual(["unresponsive"]);
    expect((await space.run("hi")).answer).toContain("(turn 3 of this conversation)");
  },
);

test.for([
  ["!silent", "first_byte_timeout", { firstByteMs: 600 }],
  ["!stall", "stall_timeout", { stallMs: 600 }],
  ["!tool-hang", "tool_timeout", { toolMs: 600 }],
] as const)("after %s a turn fails with %s, and its process goes on", async ([prompt, code, limits]) => {
  await using space = await TestWorkspace.start({ limits });
  const pid = (await space.run("!pid")).answer;
  expect((await space.run(prompt)).outcome).toMatchObject({
    state: "failed",
    error: { code, message: expect.stringContaining("600 ms") },
  });
  expect((await space.run("!pid")).answer).toBe(pid);
});

test("an agent that never stops talking fails with turn_timeout, what it said was streamed", async () => {
  await using space = await TestWorkspace.start({ limits: { turnMs: 1500 } });
  await space.run("hi");
  const { outcome, answer } = await space.run("!slow 1000 20");
  expect(outcome).toMatchObject({ state: "failed", error: { code: "turn_timeout" } });
  expect(answer).toMatch(/^w1 w2/);
});

test("a process that shows no life within startMs fails with start_timeout and is killed", async () => {
  await using folder = await tempFolder();
  const claudeBin = folder.join("silent-claude");
  await writeFile(claudeBin, "#!/bin/sh\nexec sleep 300\n", { mode: 0o755 });
  await using space = await TestWorkspace.start({ claudeBin, limits: { startMs: 100, interruptMs: 50 } });
  const { outcome } = await space.run("hi");
  expect(outcome).toMatchObject({ state: "failed", error: { code: "start_timeout" } });
  expect(space.exits).toEqual(["unresponsive"]);
});

test("cancelling a turn that is unknown or over changes nothing", async () => {
  await using space = await TestWorkspace.start();
  const { turn } = await space.run("hi");
  space.workspace.cancel(turn.id, "too late");
  space.workspace.cancel("unknown", "never there");
  expect((await space.run("hi")).answer).toContain("turn 2 of this conversation");
});

test("closing cuts what runs as interrupted, refuses what waits, and leaves nothing", async () => {
  await using space = await TestWorkspace.start();
  const running = space.submit("!slow 1000 20");
  const waiting = space.submit("never run");
  const holding = space.submit("!hold", { agent: "seed", session: "seed" });
  await running.untilText("w1");
  await eventually(() => expect(space.journaled("started")).toHaveLength(2));
  const closed = space.close();
  const late = space.submit("never run", { session: "late" });
  expect(late.events).toEqual(["refused"]);
  expect(await late.outcome).toMatchObject({
    error: {
      code: "worker_draining",
      message: "the workspace's worker is being replaced",
      retryAfterMs: 1_000,
    },
  });
  await closed;
  expect([running, holding, waiting].map(({ events }) => events.at(-1))).toEqual([
    "interrupted",
    "interrupted",
    "refused",
  ]);
  expect(await running.outcome).toMatchObject({
    state: "interrupted",
    error: { code: "turn_interrupted", message: "the turn was cut: the test is over" },
  });
  expect(await holding.outcome).toMatchObject({ state: "interrupted" });
  expect(await waiting.outcome).toMatchObject({ state: "refused", error: { code: "worker_draining" } });
  expect(space.log.fieldsOf("turn.ended")).toHaveLength(2);
  expect(space.log.fieldsOf("journal.write_failed")).toEqual([]);
  expect(space.journaled("interrupted")).toEqual([running.id, holding.id]);
});

test("a session whose agent could not be started is not one that its agent remembers", async () => {
  await using space = await TestWorkspace.start({ claudeBin: "/nowhere/claude" });
  const { outcome } = await space.run("hi");
  expect(outcome).toMatchObject({ state: "failed", error: { code: "agent_unavailable" } });
  expect(space.log.fieldsOf("session.reset")).toEqual([]);
  expect((await space.run("hi again", { needsMemory: true })).outcome).toMatchObject({
    state: "refused",
    error: { code: "session_lost", message: "the agent was told nothing of the session yet" },
  });
});
