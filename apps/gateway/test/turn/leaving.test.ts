import { afterEach, expect, test } from "vitest";
import { eventually, expectClean } from "@synthesis/testkit";
import { ended } from "../support/fake-worker.ts";
import { RunningGateway, type GatewayChanges } from "../support/running-gateway.ts";

expectClean();

let gateway: RunningGateway;
afterEach(async () => gateway.close());
const start = async (changes: GatewayChanges = {}) => (gateway = await RunningGateway.start(changes));

const same = { headers: { "x-openclaw-session-key": "one conversation" } };
const cancelled = {
  state: "cancelled",
  error: { code: "turn_cancelled", message: "the client left" },
} as const;

test("a queued client that leaves frees its place and never reaches the worker", async () => {
  const { worker } = await start();
  const running = await gateway.stream("a", same);
  const leaving = new AbortController();
  await gateway.stream("b", { ...same, signal: leaving.signal });
  const last = await gateway.stream("c", same);
  expect(gateway.queues.counts.waiting).toBe(3);
  leaving.abort();
  await eventually(() => expect(gateway.queues.counts.waiting).toBe(2));
  worker.answer(await worker.next("submit"), "A");
  const next = await worker.next("submit");
  expect(next.prompt).toBe("c");
  worker.answer(next, "C");
  await Promise.all([running.events.rest(), last.events.rest()]);
});

test("a client that leaves cancels its turn after vanishedMs, and the session is free when it has ended", async () => {
  const { worker } = await start({ limits: { vanishedMs: 30 } });
  const leaving = new AbortController();
  const { events } = await gateway.stream("a", { ...same, signal: leaving.signal });
  await events.next();
  const submit = await worker.next("submit");
  worker.begin(submit, "part");
  leaving.abort();
  expect(await worker.next("cancel_turn")).toMatchObject({ turn: submit.turn, reason: "the client left" });
  const next = await gateway.stream("b", same);
  expect(worker.unread("submit")).toBe(0);
  worker.send(ended(submit.turn, 2, cancelled));
  worker.answer(await worker.next("submit"), "B");
  expect(await next.events.text()).toBe("B");
  expect(await worker.next("taken")).not.toMatchObject({ turn: submit.turn });
});

test("a client that leaves while its session's next turn waits cancels its turn at once", async () => {
  const { worker } = await start({ limits: { vanishedMs: 600_000 } });
  const leaving = new AbortController();
  const { events } = await gateway.stream("a", { ...same, signal: leaving.signal });
  await events.next();
  const { turn } = await worker.next("submit");
  const next = await gateway.stream("b", same);
  leaving.abort();
  expect(await worker.next("cancel_turn")).toMatchObject({ turn, reason: "the client left" });
  expect(worker.unread("submit")).toBe(0);
  worker.send(ended(turn, 1, cancelled));
  worker.answer(await worker.next("submit"), "B");
  await next.events.rest();
});

test("a turn whose client left is cancelled at once when its session's next turn comes", async () => {
  const { worker, turns } = await start({ limits: { vanishedMs: 600_000 } });
  const leaving = new AbortController();
  const { events } = await gateway.stream("a", { ...same, signal: leaving.signal });
  await events.next();
  const { turn, request } = await worker.next("submit");
  leaving.abort();
  await eventually(() => expect(turns.find(request.caller, { body: request.body })).toBeDefined());
  expect(worker.unread("cancel_turn")).toBe(0);
  const next = await gateway.stream("b", same);
  expect(await worker.next("cancel_turn")).toMatchObject({ turn });
  worker.send(ended(turn, 1, cancelled));
  worker.answer(await worker.next("submit"), "B");
  expect(await next.events.text()).toBe("B");
});

test("a turn of two clients is cancelled when both have left, and not before", async () => {
  const { worker, turns } = await start({ limits: { vanishedMs: 10 } });
  const headers = { ...same.headers, "idempotency-key": "k", "x-synthesis-on-disconnect": "cancel" };
  const [one, two] = [new AbortController(), new AbortController()];
  await gateway.stream("a", { headers, signal: one.signal });
  const submit = await worker.next("submit");
  worker.begin(submit, "A");
  const second = await gateway.stream("a", { headers, signal: two.signal });
  expect(await second.events.delta()).toEqual({ role: "assistant", content: "" });
  one.abort();
  await (await gateway.fetch("/health")).text();
  worker.send({ type: "delta", turn: submit.turn, seq: 2, text: "more" });
  expect(await second.events.delta()).toEqual({ content: "A" });
  expect(await second.events.delta()).toEqual({ content: "more" });
  expect(worker.unread("cancel_turn")).toBe(0);
  two.abort();
  expect(await worker.next("cancel_turn")).toMatchObject({ turn: submit.turn });
  worker.send(ended(submit.turn, 3, cancelled));
  await eventually(() => expect(turns.size).toBe(0));
});

test.for<[title: string, headers: Record<string, string>]>([
  ["x-synthesis-on-disconnect: continue", { "x-synthesis-on-disconnect": "continue" }],
  ["an Idempotency-Key", { "idempotency-key": "k1" }],
])("with %s a client that leaves cancels nothing", async ([, headers]) => {
  const { worker } = await start();
  const leaving = new AbortController();
  const { events } = await gateway.stream("a", {
    headers: { ...same.headers, ...headers },
    signal: leaving.signal,
  });
  await events.next();
  const submit = await worker.next("submit");
  leaving.abort();
  const next = await gateway.stream("b", same);
  worker.answer(submit, "A");
  worker.answer(await worker.next("submit"), "B");
  expect((await next.events.rest()).at(-1)).toBe("[DONE]");
  expect(worker.unread("cancel_turn")).toBe(0);
});

test("cancel may be asked for in spite of an Idempotency-Key, and nothing else than the two words", async () => {
  const { worker } = await start({ limits: { vanishedMs: 10 } });
  const leaving = new AbortController();
  const headers = { "idempotency-key": "k", "x-synthesis-on-disconnect": "cancel" };
  await gateway.stream("a", { headers, signal: leaving.signal });
  const { turn } = await worker.next("submit");
  leaving.abort();
  expect(await worker.next("cancel_turn")).toMatchObject({ turn });
  worker.send(ended(turn, 1, cancelled));
  const odd = await gateway.chat("a", { headers: { "x-synthesis-on-disconnect": "maybe" } });
  expect([odd.status, await odd.json()]).toMatchObject([400, { error: { code: "invalid_request" } }]);
});

test("the worker is told that a client has the end, with a stream or without, and after an error", async () => {
  const { worker } = await start();
  const error = { code: "turn_failed", message: "it broke" } as const;
  for (const stream of [true, false]) {
    for (const end of [undefined, { state: "failed", error } as const]) {
      const asked = gateway.chat({ stream, messages: [{ role: "user", content: "a" }] });
      const submit = await worker.next("submit");
      worker.answer(submit, "A", end);
      await (await asked).text();
      expect(await worker.next("taken")).toEqual({ type: "taken", turn: submit.turn });
    }
  }
});
