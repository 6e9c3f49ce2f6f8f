import { eventually, expectClean } from "@synthesis/testkit";
import { expect, test } from "vitest";
import { TestWorkspace } from "../support/test-workspace.ts";

expectClean();

const other = { session: "other" };

test("idle -> closing -> cold: an evicted session is resumed with its next turn and remembers", async () => {
  await using space = await TestWorkspace.start();
  const pid = (await space.run("!pid")).answer;
  space.workspace.evictOldest();
  const after = await space.run("!pid"); // waits for the end of the old process
  expect(after.answer).not.toBe(pid);
  expect(space.exits).toEqual(["evicted"]);
  expect((await space.run("hi")).answer).toContain("turn 3 of this conversation");
});

test("idle -> closing: a process that is idle for idleMs is ended, gently", async () => {
  await using space = await TestWorkspace.start({ limits: { idleMs: 50 } });
  await space.run("hi");
  await eventually(() => expect(space.workspace.status().processes).toBe(0));
  expect(space.log.fieldsOf("agent.exited")).toMatchObject([{ reason: "idle", how: "exit code 0" }]);
  expect((await space.run("hi")).answer).toContain("turn 2 of this conversation");
});

test("idle -> running: a turn stops the eviction", async () => {
  await using space = await TestWorkspace.start({ limits: { idleMs: 300 } });
  const pid = (await space.run("!pid")).answer;
  const slow = space.submit("!slow 8 50");
  expect(await slow.outcome).toMatchObject({ state: "completed" });
  expect((await space.run("!pid")).answer).toBe(pid);
});

test("idle -> cold: a process that dies while idle is replaced", async () => {
  await using space = await TestWorkspace.start();
  process.kill(Number((await space.run("!pid")).answer), "SIGKILL");
  await eventually(() => expect(space.workspace.status().processes).toBe(0));
  expect((await space.run("hi")).answer).toContain("turn 2 of this conversation");
});

test("of two sessions with one process between them the idle one makes room, and both remember", async () => {
  await using space = await TestWorkspace.start({ limits: { processesPerWorkspace: 1 } });
  await space.run("hi");
  expect((await space.run("hi", other)).answer).toContain("turn 1 of this conversation");
  expect(space.exits).toEqual(["evicted"]);
  expect((await space.run("hi")).answer).toContain("turn 2 of this conversation");
  expect((await space.run("hi", other)).answer).toContain("turn 2 of this conversation");
  expect(space.workspace.status()).toMatchObject({ processes: 1, sessions: 2 });
});

test("opening: a session waits for the place of one that runs, which is ended only after its turn", async () => {
  await using space = await TestWorkspace.start({ limits: { processesPerWorkspace: 1 } });
  const first = space.submit("!slow 5 30");
  await first.untilText("w1");
  const second = space.submit("hi", other);
  await second.untilAccepted();
  expect(first.events.at(-1)).toBe("completed");
  expect(await second.outcome).toMatchObject({ state: "completed" });
});

test("opening: a turn that is cancelled while it waits for a place is refused and nothing was run", async () => {
  await using space = await TestWorkspace.start({ limits: { processesPerWorkspace: 1 } });
  const first = space.submit("!slow 1000 20");
  await first.untilText("w1");
  const waiting = space.submit("hi", other);
  space.workspace.cancel(waiting.id, "the client left");
  expect(await waiting.outcome).toMatchObject({ state: "refused", error: { code: "turn_cancelled" } });
  expect(waiting.events).toEqual(["refused"]);
  space.workspace.cancel(first.id, "over");
  await first.outcome;
  expect((await space.run("hi", other)).answer).toContain("turn 1 of this conversation");
});

test("turns of one session run one after the other, in their order", async () => {
  await using space = await TestWorkspace.start();
  const turns = ["a", "b", "c"].map((prompt) => space.submit(prompt));
  for (const turn of turns) await turn.outcome;
  expect(turns.map(({ answer }) => answer)).toEqual([
    "fake: a (turn 1 of this conversation)",
    "fake: b (turn 2 of this conversation)",
    "fake: c (turn 3 of this conversation)",
  ]);
});

test("a waiting turn that is cancelled is refused, the one behind it runs", async () => {
  await using space = await TestWorkspace.start();
  const [first, second, third] = [
    space.submit("!slow 5 20"),
    space.submit("never run"),
    space.submit("third"),
  ];
  space.workspace.cancel(second.id, "the client left");
  expect(await second.outcome).toMatchObject({ state: "refused", error: { code: "turn_cancelled" } });
  expect(first.events).not.toContain("completed");
  expect(await first.outcome).toMatchObject({ state: "completed" });
  expect((await third.outcome).state).toBe("completed");
  expect(third.answer).toContain("third (turn 2 of");
});

test("turns of two sessions run at the same time, on processes of their own", async () => {
  await using space = await TestWorkspace.start();
  const first = space.submit("!slow 1000 20");
  await first.untilText("w1");
  expect((await space.run("hi", other)).outcome.state).toBe("completed");
  await eventually(() => expect(space.workspace.status()).toMatchObject({ processes: 2, turns: 1 }));
  space.workspace.cancel(first.id, "over");
  await first.outcome;
});

test("a turn beyond the eight that a session holds is refused at once; those before it run", async () => {
  await using space = await TestWorkspace.start();
  const turns = Array.from({ length: 9 }, (_, index) => space.submit(`${index}`, { agent: "seed" }));
  expect(await turns.at(-1)?.outcome).toMatchObject({ state: "refused", error: { code: "queue_full" } });
  expect(turns[0]?.events).toEqual([]);
  for (const turn of turns.slice(0, 8)) expect((await turn.outcome).state).toBe("completed");
});

test("opening: a session that gets no place within queueMs is refused with queue_timeout", async () => {
  await using space = await TestWorkspace.start({ limits: { processesPerWorkspace: 1, queueMs: 50 } });
  const first = space.submit("!hold", { agent: "seed", session: "holding" });
  await first.untilAccepted();
  const { outcome } = await space.run("hi");
  expect(outcome).toMatchObject({ state: "refused", error: { code: "queue_timeout" } });
  space.workspace.cancel(first.id, "over");
  await first.outcome;
  expect((await space.run("hi")).outcome.state).toBe("completed");
});
