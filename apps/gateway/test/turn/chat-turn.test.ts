import { afterEach, expect, test } from "vitest";
import { eventually, expectClean } from "@synthesis/testkit";
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

test("two requests of one session are never at the worker at once, and go in order", async () => {
  const { worker } = await start();
  const asked = [];
  for (const [index, prompt] of ["a", "b", "c"].entries()) {
    asked.push(await gateway.stream(prompt, same));
    expect(asked[index]?.response.headers.get("x-synthesis-queue-position")).toBe(String(index));
  }
  for (const prompt of ["a", "b", "c"]) {
    const submit = await worker.next("submit");
    expect(submit.prompt).toBe(prompt);
    // Another session's turn goes all the way through meanwhile, and still none of this one came.
    const other = gateway.chat("other", { headers: { "x-openclaw-session-key": `with ${prompt}` } });
    worker.answer(await worker.next("submit"), "done");
    await (await other).text();
    expect(worker.unread("submit")).toBe(0);
    worker.answer(submit, prompt.toUpperCase());
  }
  for (const { events } of asked) expect((await events.rest()).at(-1)).toBe("[DONE]");
  expect(gateway.queues.counts).toEqual({ sessions: 0, waiting: 0 });
});

test("a full queue is answered 429 with Retry-After, before any stream", async () => {
  const { worker } = await start({ limits: { sessionQueue: 1 } });
  const running = await gateway.stream("a", same);
  const waiting = await gateway.stream("b", same);
  const refused = await gateway.chat({ stream: true, messages: [{ role: "user", content: "c" }] }, same);
  expect([refused.status, refused.headers.get("retry-after")]).toEqual([429, "5"]);
  expect(refused.headers.get("x-should-retry")).toBe("true");
  expect(await refused.json()).toMatchObject({ error: { code: "queue_full", type: "rate_limit_error" } });
  worker.answer(await worker.next("submit"), "A");
  worker.answer(await worker.next("submit"), "B");
  await Promise.all([running.events.rest(), waiting.events.rest()]);
});

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

test("a turn that waits too long is told so, and frees its place", async () => {
  const { worker } = await start({ limits: { queueMs: 50 } });
  const running = await gateway.stream("a", same);
  const streamed = await gateway.stream("b", same);
  const plain = await gateway.chat("c", same);
  expect([plain.status, plain.headers.get("retry-after")]).toEqual([503, "5"]);
  expect(await plain.json()).toMatchObject({
    error: { code: "queue_timeout", message: "the turn's time did not come within 50 ms (limits.queueMs)" },
  });
  expect((await streamed.events.rest()).at(-1)).toMatchObject({ error: { code: "queue_timeout" } });
  expect(gateway.queues.counts).toEqual({ sessions: 1, waiting: 1 });
  worker.answer(await worker.next("submit"), "A");
  expect((await running.events.rest()).at(-1)).toBe("[DONE]");
});

test("a client that leaves cancels its turn, and the next one waits until that has ended", async () => {
  const { worker } = await start();
  const leaving = new AbortController();
  const { events } = await gateway.stream("a", { ...same, signal: leaving.signal });
  await events.next();
  const { turn } = await worker.next("submit");
  const next = await gateway.stream("b", same);
  leaving.abort();
  expect(await worker.next("cancel_turn")).toMatchObject({ turn, reason: "the client left" });
  expect(worker.unread("submit")).toBe(0);
  worker.send({ type: "ended", turn, end: cancelled });
  worker.answer(await worker.next("submit"), "B");
  await next.events.rest();
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
  const { worker } = await start();
  const leaving = new AbortController();
  const headers = { "idempotency-key": "k", "x-synthesis-on-disconnect": "cancel" };
  await gateway.stream("a", { headers, signal: leaving.signal });
  const { turn } = await worker.next("submit");
  leaving.abort();
  expect(await worker.next("cancel_turn")).toMatchObject({ turn });
  worker.send({ type: "ended", turn, end: cancelled });
  const odd = await gateway.chat("a", { headers: { "x-synthesis-on-disconnect": "maybe" } });
  expect([odd.status, await odd.json()]).toMatchObject([400, { error: { code: "invalid_request" } }]);
});

test("when the gateway closes, running and waiting turns are told so; the running one is not cancelled", async () => {
  const { worker } = await start();
  const running = await gateway.stream("a", same);
  const submit = await worker.next("submit");
  const waiting = gateway.chat("b", same);
  await eventually(() => expect(gateway.queues.counts.waiting).toBe(2));
  const { turn } = submit;
  worker.send({ type: "accepted", turn }, { type: "delta", turn, text: "part" });
  await eventually(() => expect(gateway.queues.counts.waiting).toBe(1));
  const closed = gateway.close();
  const all = await running.events.rest();
  expect(all.at(-1)).toMatchObject({ error: { code: "shutting_down" } });
  expect(all).not.toContain("[DONE]");
  const response = await waiting;
  expect([response.status, response.headers.get("x-should-retry")]).toEqual([503, "true"]);
  expect(await response.json()).toMatchObject({ error: { code: "shutting_down" } });
  await closed;
  expect(worker.unread("cancel_turn")).toBe(0);
  expect(worker.unread("submit")).toBe(0);
});

test("a turn that runs when the gateway closes is not to be sent again: it was executed", async () => {
  const { worker } = await start();
  const asked = gateway.chat("a");
  await worker.next("submit");
  const closed = gateway.close();
  const response = await asked;
  expect([response.status, response.headers.get("x-should-retry")]).toEqual([503, "false"]);
  await response.text();
  await closed;
});
