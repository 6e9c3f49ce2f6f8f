import { WireFailure } from "@synthesis/protocol";
import { expect, test } from "vitest";
import { SessionQueues } from "../../src/turn/session-queues.ts";

const wide = { sessionQueue: 100, totalQueue: 100 };
const never = new AbortController().signal;

test("a session's turns go first in, first out; other sessions do not wait for it", async () => {
  const queues = new SessionQueues(wide);
  const order: string[] = [];
  const tickets = ["a", "b", "c"].map((name) => ({ name, ticket: queues.enter("s") }));
  const all = tickets.map(async ({ name, ticket }) => {
    await ticket.whenFirst(never);
    order.push(name);
    ticket.leave();
  });
  expect(tickets.map(({ ticket }) => ticket.position)).toEqual([0, 1, 2]);
  const other = queues.enter("t");
  await other.whenFirst(never);
  expect(other.position).toBe(0);
  await Promise.all(all);
  expect(order).toEqual(["a", "b", "c"]);
});

test("a turn waits until it is accepted, also the first of its session", () => {
  const queues = new SessionQueues(wide);
  const [first] = [queues.enter("s"), queues.enter("s"), queues.enter("t")];
  expect(queues.counts).toEqual({ sessions: 2, waiting: 3 });
  first.accepted();
  first.accepted();
  expect(queues.counts).toEqual({ sessions: 2, waiting: 2 });
  first.leave();
  expect(queues.counts).toEqual({ sessions: 2, waiting: 2 });
});

test("nothing is left of a session whose turns have left", () => {
  const queues = new SessionQueues(wide);
  const [first, second] = [queues.enter("s"), queues.enter("s")];
  first.accepted();
  expect(queues.counts).toEqual({ sessions: 1, waiting: 1 });
  expect(queues.isBusy("s")).toBe(true);
  first.leave();
  second.accepted();
  expect(queues.counts).toEqual({ sessions: 1, waiting: 0 });
  first.leave();
  second.leave();
  second.leave();
  expect(queues.counts).toEqual({ sessions: 0, waiting: 0 });
  expect(queues.isBusy("s")).toBe(false);
});

test("one that leaves in the middle gives its place to the next, and never turns up as first", async () => {
  const queues = new SessionQueues(wide);
  const [first, middle, last] = [queues.enter("s"), queues.enter("s"), queues.enter("s")];
  middle.leave();
  expect(queues.counts.waiting).toBe(2);
  first.leave();
  await last.whenFirst(never);
  expect(queues.counts).toEqual({ sessions: 1, waiting: 1 });
});

test("a wait ends with its signal's reason, before or after it aborts; the place is kept until it is left", async () => {
  const queues = new SessionQueues(wide);
  queues.enter("s").accepted();
  const second = queues.enter("s");
  const stop = new AbortController();
  const waiting = expect(second.whenFirst(stop.signal)).rejects.toThrow("enough");
  stop.abort(new Error("enough"));
  await waiting;
  await expect(second.whenFirst(stop.signal)).rejects.toThrow("enough");
  expect(queues.counts.waiting).toBe(1);
});

test("a session's queue is bounded, not counting the turn that runs", () => {
  const queues = new SessionQueues({ sessionQueue: 2, totalQueue: 100 });
  const first = queues.enter("s");
  queues.enter("s");
  queues.enter("s");
  const full = new WireFailure(
    "queue_full",
    "2 turns of this session are waiting already (limits.sessionQueue)",
  );
  expect(() => queues.enter("s")).toThrow(full.message);
  queues.enter("t");
  first.leave();
  expect(queues.enter("s").position).toBe(2);
});

test("all turns that no worker has accepted are bounded together, also the first ones of their sessions", () => {
  const queues = new SessionQueues({ sessionQueue: 5, totalQueue: 2 });
  const full = "2 turns are waiting already (limits.totalQueue)";
  const [first] = [queues.enter("a"), queues.enter("b")];
  for (const session of ["a", "b", "c"]) expect(() => queues.enter(session)).toThrow(full);
  first.accepted();
  const third = queues.enter("c");
  expect(() => queues.enter("d")).toThrow(full);
  third.leave();
  queues.enter("a");
  expect(queues.counts).toEqual({ sessions: 2, waiting: 2 });
});

test("a refused turn leaves no trace and says when to come again", () => {
  const queues = new SessionQueues({ sessionQueue: 1, totalQueue: 2 });
  const tickets = [queues.enter("s"), queues.enter("s")];
  try {
    queues.enter("s");
    expect.unreachable();
  } catch (error) {
    expect(error).toMatchObject({ error: { code: "queue_full", retryAfterMs: 5_000 } });
  }
  for (const ticket of tickets) ticket.leave();
  expect(queues.counts).toEqual({ sessions: 0, waiting: 0 });
});
