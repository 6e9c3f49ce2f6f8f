import { eventually, expectClean } from "@synthesis/testkit";
import { expect, test } from "vitest";
import { TestWorkspace } from "../support/test-workspace.ts";

expectClean();

const other = { session: "other" };

test("idle -> closing -> cold: an evicted session is resumed with its next turn and remembers", async () => {
  await using test = await TestWorkspace.start();
  const pid = (await test.run("!pid")).answer;
  test.workspace.evictOldest();
  const after = await test.run("!pid"); // waits for the end of the old process
  expect(after.answer).not.toBe(pid);
  expect(test.exits).toEqual(["evicted"]);
  expect((await test.run("hi")).answer).toContain("turn 3 of this conversation");
});

test("idle -> closing: a process that is idle for idleMs is ended, gently", async () => {
  await using test = await TestWorkspace.start({ limits: { idleMs: 50 } });
  await test.run("hi");
  await eventually(() => expect(test.workspace.status().processes).toBe(0));
  expect(test.log.fieldsOf("agent.exited")).toMatchObject([{ reason: "idle", how: "exit code 0" }]);
  expect((await test.run("hi")).answer).toContain("turn 2 of this conversation");
});

test("idle -> running: a turn stops the eviction", async () => {
  await using test = await TestWorkspace.start({ limits: { idleMs: 300 } });
  const pid = (await test.run("!pid")).answer;
  const slow = test.submit("!slow 8 50");
  expect(await slow.outcome).toMatchObject({ state: "completed" });
  expect((await test.run("!pid")).answer).toBe(pid);
});

test("idle -> cold: a process that dies while idle is replaced", async () => {
  await using test = await TestWorkspace.start();
  process.kill(Number((await test.run("!pid")).answer), "SIGKILL");
  await eventually(() => expect(test.workspace.status().processes).toBe(0));
  expect((await test.run("hi")).answer).toContain("turn 2 of this conversation");
});

test("of two sessions with one process between them the idle one makes room, and both remember", async () => {
  await using test = await TestWorkspace.start({ limits: { processesPerWorkspace: 1 } });
  await test.run("hi");
  expect((await test.run("hi", other)).answer).toContain("turn 1 of this conversation");
  expect(test.exits).toEqual(["evicted"]);
  expect((await test.run("hi")).answer).toContain("turn 2 of this conversation");
  expect((await test.run("hi", other)).answer).toContain("turn 2 of this conversation");
  expect(test.workspace.status()).toMatchObject({ processes: 1, sessions: 2 });
});

test("opening: a session waits for the place of one that runs, which is ended only after its turn", async () => {
  await using test = await TestWorkspace.start({ limits: { processesPerWorkspace: 1 } });
  const first = test.submit("!slow 5 30");
  await first.untilText("w1");
  const second = test.submit("hi", other);
  await second.untilAccepted();
  expect(first.events.at(-1)).toBe("completed");
  expect(await second.outcome).toMatchObject({ state: "completed" });
});

test("opening: a turn that is cancelled while it waits for a place is refused and nothing was run", async () => {
  await using test = await TestWorkspace.start({ limits: { processesPerWorkspace: 1 } });
  const first = test.submit("!slow 1000 20");
  await first.untilText("w1");
  const waiting = test.submit("hi", other);
  test.workspace.cancel(waiting.id, "the client left");
  expect(await waiting.outcome).toMatchObject({ state: "refused", error: { code: "turn_cancelled" } });
  expect(waiting.events).toEqual(["refused"]);
  test.workspace.cancel(first.id, "over");
  await first.outcome;
  expect((await test.run("hi", other)).answer).toContain("turn 1 of this conversation");
});

test("turns of one session run one after the other, in their order", async () => {
  await using test = await TestWorkspace.start();
  const turns = ["a", "b", "c"].map((prompt) => test.submit(prompt));
  for (const turn of turns) await turn.outcome;
  expect(turns.map(({ answer }) => answer)).toEqual([
    "fake: a (turn 1 of this conversation)",
    "fake: b (turn 2 of this conversation)",
    "fake: c (turn 3 of this conversation)",
  ]);
});

test("a waiting turn that is cancelled is refused, the one behind it runs", async () => {
  await using test = await TestWorkspace.start();
  const [first, second, third] = [test.submit("!slow 5 20"), test.submit("never run"), test.submit("third")];
  test.workspace.cancel(second.id, "the client left");
  expect(await second.outcome).toMatchObject({ state: "refused", error: { code: "turn_cancelled" } });
  expect(await first.outcome).toMatchObject({ state: "completed" });
  expect((await third.outcome).state).toBe("completed");
  expect(third.answer).toContain("third (turn 2 of");
});

test("turns of two sessions run at the same time, on processes of their own", async () => {
  await using test = await TestWorkspace.start();
  const first = test.submit("!slow 1000 20");
  await first.untilText("w1");
  expect((await test.run("hi", other)).outcome.state).toBe("completed");
  await eventually(() => expect(test.workspace.status()).toMatchObject({ processes: 2, turns: 1 }));
  test.workspace.cancel(first.id, "over");
  await first.outcome;
});
