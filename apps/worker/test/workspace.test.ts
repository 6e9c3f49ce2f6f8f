import { EMPTY_TRANSCRIPT, rollTranscript } from "@synthesis/protocol";
import { eventually, expectClean } from "@synthesis/testkit";
import { expect, test } from "vitest";
import { hashOf, locatedSession, testCaller, testScope } from "./support/test-submit.ts";
import { TestWorkspace } from "./support/test-workspace.ts";

expectClean();

const asked = (prompt: string, before = EMPTY_TRANSCRIPT) => rollTranscript(before, "user", prompt);
const answered = (transcript: string, answer: string) => rollTranscript(transcript, "assistant", answer);
const bySession = { session: "s" };
const byPoint = (...points: string[]) => ({ scope: testScope, points });

test("an agent that is not configured is refused", async () => {
  await using space = await TestWorkspace.start();
  const { turn, outcome } = await space.run("hi", { agent: "nobody" });
  expect(outcome).toMatchObject({ state: "refused", error: { code: "model_not_found" } });
  expect(turn.events).toEqual(["refused"]);
});

test("W-6: a turn for a session of another agent is refused, whether that runs or not", async () => {
  await using space = await TestWorkspace.start();
  const running = space.submit("!slow 1000 20");
  const early = await space.run("hi", { agent: "seed" });
  space.workspace.cancel(running.id, "over");
  await running.outcome;
  await space.run("hi");
  const warm = await space.run("hi", { agent: "seed" });
  space.workspace.evictOldest();
  await eventually(() => expect(space.workspace.status().processes).toBe(0));
  const cold = await space.run("hi", { agent: "seed" });
  const error = { code: "invalid_request", message: expect.stringContaining('agent "claude"') };
  for (const { outcome } of [early, warm, cold]) expect(outcome).toMatchObject({ state: "refused", error });
  expect(await space.workspace.locate(bySession)).toEqual(locatedSession);
});

test("a session is located by its id and by the transcript as the client has it", async () => {
  await using space = await TestWorkspace.start();
  const { answer } = await space.run("hi");
  const locate = (by: Parameters<typeof space.workspace.locate>[0]) => space.workspace.locate(by);
  expect(await locate(bySession)).toEqual(locatedSession);
  expect(await locate({ session: "unknown" })).toEqual({});
  const head = answered(asked("hi"), answer);
  expect(await locate(byPoint(head))).toEqual({ ...locatedSession, point: head, isHead: true });
  expect(await locate(byPoint(asked("other")))).toEqual({});
});

test("a turn without a transcript leaves its session one that no transcript finds", async () => {
  await using space = await TestWorkspace.start();
  const { answer } = await space.run("hi", { transcript: undefined });
  expect(await space.workspace.locate(byPoint(answered(asked("hi"), answer)))).toEqual({});
  expect(await space.workspace.locate(bySession)).toEqual(locatedSession);
});

test("a transcript that is expected of an unknown session is refused", async () => {
  await using space = await TestWorkspace.start();
  const { outcome } = await space.run("hi", { follows: asked("hi") });
  expect(outcome).toMatchObject({ state: "refused", error: { code: "history_changed" } });
});

test("a cancelled turn leaves the transcript with what was said of it", async () => {
  await using space = await TestWorkspace.start();
  const turn = space.submit("!slow 1000 20");
  await turn.untilText("w1");
  space.workspace.cancel(turn.id, "the client left");
  await turn.outcome;
  const head = answered(asked("!slow 1000 20"), turn.answer);
  expect(await space.workspace.locate(byPoint(head))).toEqual({
    ...locatedSession,
    point: head,
    isHead: true,
  });
});

test("a turn of a key at work is refused with idempotency_conflict, and joined by its key once that is known", async () => {
  await using space = await TestWorkspace.start();
  const request = { key: hashOf("key") };
  const first = space.submit("!hold", { agent: "seed", request });
  await first.untilAccepted();
  const { turn, outcome } = await space.run("hi", { agent: "seed", session: "other", request });
  expect(outcome).toMatchObject({
    state: "refused",
    error: { code: "idempotency_conflict", retryAfterMs: expect.any(Number) },
  });
  expect(turn.events).toEqual(["refused"]);
  expect(space.workspace.find(testCaller, request)).toMatchObject({ turn: first.id, session: "s" });
  space.workspace.cancel(first.id, "over");
  expect(await first.outcome).toMatchObject({ state: "cancelled" });
  expect(space.workspace.find(testCaller, request)).toBeUndefined();
  expect((await space.run("hi", { agent: "seed", request })).outcome.state).toBe("completed");
});

test("without a key a turn is found for retryMs", async () => {
  await using space = await TestWorkspace.start({ limits: { retryMs: 100 } });
  await space.run("hi", { agent: "seed" });
  const body = { body: hashOf("body hi") };
  await eventually(() => expect(space.workspace.find(testCaller, body)).toBeUndefined());
  await using longer = await TestWorkspace.start();
  const { turn } = await longer.run("hi", { agent: "seed" });
  expect(longer.workspace.find(testCaller, body)).toMatchObject({ turn: turn.id, state: "completed" });
  longer.workspace.take(turn.id);
  expect(longer.workspace.find(testCaller, body)).toBeUndefined();
});

test("the status counts sessions, processes, connections and turns, and names the longest idle", async () => {
  await using space = await TestWorkspace.start();
  const empty = { processes: 0, conns: 0, turns: 0, sessions: 0, unsolicited: 0, memoryBytes: 0 };
  expect(space.workspace.status()).toEqual(empty);
  const since = Date.now();
  await space.run("hi");
  await space.run("hi", { agent: "seed", session: "seed" });
  const running = space.submit("!hold", { agent: "seed", session: "held" });
  await eventually(() => expect(space.workspace.status().conns).toBe(2));
  expect(space.workspace.status().memoryBytes).toBe(0); // not measured yet
  space.workspace.lookAfter();
  const status = space.workspace.status();
  expect(status).toMatchObject({ processes: 3, turns: 1, sessions: 3 });
  expect(status.memoryBytes).toBeGreaterThan(1_000_000);
  expect(status.oldestIdleAt).toBeGreaterThanOrEqual(since);
  space.workspace.cancel(running.id, "over");
  await running.outcome;
});

test("evicting the oldest ends the one that has been idle longest, and nothing where none is idle", async () => {
  await using space = await TestWorkspace.start();
  space.workspace.evictOldest();
  const pids = [(await space.run("!pid")).answer, (await space.run("!pid", { session: "b" })).answer];
  space.workspace.evictOldest();
  await eventually(() => expect(space.workspace.status().processes).toBe(1));
  expect(space.log.fieldsOf("agent.exited").map(({ pid }) => String(pid))).toEqual([pids[0]]);
});
