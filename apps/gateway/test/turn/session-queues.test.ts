import { randomUUID } from "node:crypto";
import { WireFailure } from "@synthesis/protocol";
import { expect, test } from "vitest";
import { SessionQueues } from "../../src/turn/session-queues.ts";

const wide = { sessionQueue: 100, totalQueue: 100 };
const never = new AbortController().signal;

test("a session's turns go first in, first out; other sessions do not wait for it", async () => {
  const queues = new SessionQueues(wide);
  const order: string[] = [];
  const tickets = ["a", "b", "c"].map((name) => ({ name, ticket: queues.enter("s", randomUUID()) }));
  const all = tickets.map(async ({ name, ticket }) => {
    await ticket.whenFirst(never);
    order.push(name);
    ticket.leave();
  });
  expect(tickets.map(({ ticket }) => ticket.position)).toEqual([0, 1, 2]);
  const other = queues.enter("t", randomUUID());
  await other.whenFirst(never);
  expect(other.position).toBe(0);
  await Promise.all(all);
  expect(order).toEqual(["a", "b", "c"]);
});

test("who is next goes after the turn whose time it is, and before all that wait", async () => {
  const queues = new SessionQueues(wide);
  const first = queues.enter("s", "first", "next");
  const waiting = queues.enter("s", "waiting");
  const next = queues.enter("s", "next", "next");
  expect([first, waiting, next].map(({ position }) => position)).toEqual([0, 1, 1]);
  const order: string[] = [];
  const turns = [first, next, waiting].map(async (ticket) => {
    await ticket.whenFirst(never);
    order.push(queues.first("s") ?? "");
    ticket.leave();
  });
  await Promise.all(turns);
  expect(order).toEqual(["first", "next", "waiting"]);
  expect(queues.first("s")).toBeUndefined();
});

test("a turn waits until it is accepted, also the first of its session", () => {
  const queues = new SessionQueues(wide);
  const [first] = [
    queues.enter("s", randomUUID()),
    queues.enter("s", randomUUID()),
    queues.enter("t", randomUUID()),
  ];
  expect(queues.counts).toEqual({ sessions: 2, waiting: 3 });
  first.accepted();
  first.accepted();
  expect(queues.counts).toEqual({ sessions: 2, waiting: 2 });
  first.leave();
  expect(queues.counts).toEqual({ sessions: 2, waiting: 2 });
});

test("nothing is left of a session whose turns have left", () => {
  const queues = new SessionQueues(wide);
  const [first, second] = [queues.enter("s", randomUUID()), queues.enter("s", randomUUID())];
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
  const [first, middle, last] = [
    queues.enter("s", randomUUID()),
    queues.enter("s", randomUUID()),
    queues.enter("s", randomUUID()),
  ];
  middle.leave();
  expect(queues.counts.waiting).toBe(2);
  first.leave();
  await last.whenFirst(never);
  expect(queues.counts).toEqual({ sessions: 1, waiting: 1 });
});

test("a wait ends with its signal's reason, before or after it aborts; the place is kept until it is left", async () => {
  const queues = new SessionQueues(wide);
  queues.enter("s", randomUUID()).accepted();
  const second = queues.enter("s", randomUUID());
  const stop = new AbortController();
  const waiting = expect(second.whenFirst(stop.signal)).rejects.toThrow("enough");
  stop.abort(new Error("enough"));
  await waiting;
  await expect(second.whenFirst(stop.signal)).rejects.toThrow("enough");
  expect(queues.counts.waiting).toBe(1);
});

test("a session's queue is bounded, not counting the turn that runs", () => {
  const queues = new SessionQueues({ sessionQueue: 2, totalQueue: 100 });
  const first = queues.enter("s", randomUUID());
  queues.enter("s", randomUUID());
  queues.enter("s", randomUUID());
  const full = new WireFailure(
    "queue_full",
    "2 turns of this session are waiting already (limits.sessionQueue)",
  );
  expect(() => queues.enter("s", randomUUID())).toThrow(full.message);
  queues.enter("t", randomUUID());
  first.leave();
  expect(queues.enter("s", randomUUID()).position).toBe(2);
});

test("all turns that no worker has accepted are bounded together, also the first ones of their sessions", () => {
  const queues = new SessionQueues({ sessionQueue: 5, totalQueue: 2 });
  const full = "2 turns are waiting already (limits.totalQueue)";
  const [first] = [queues.enter("a", randomUUID()), queues.enter("b", randomUUID())];
  for (const session of ["a", "b", "c"]) expect(() => queues.enter(session, randomUUID())).toThrow(full);
  first.accepted();
  const third = queues.enter("c", randomUUID());
  expect(() => queues.enter("d", randomUUID())).toThrow(full);
  third.leave();
  queues.enter("a", randomUUID());
  expect(queues.counts).toEqual({ sessions: 2, waiting: 2 });
});

test("a refused turn leaves no trace and says when to come again", () => {
  const queues = new SessionQueues({ sessionQueue: 1, totalQueue: 2 });
  const tickets = [queues.enter("s", randomUUID()), queues.enter("s", randomUUID())];
  try {
    queues.enter("s", randomUUID());
    expect.unreachable();
  } catch (error) {
    expect(error).toMatchObject({ error: { code: "queue_full", retryAfterMs: 5_000 } });
  }
  for (const ticket of tickets) ticket.leave();
  expect(queues.counts).toEqual({ sessions: 0, waiting: 0 });
});
