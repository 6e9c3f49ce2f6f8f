import { afterEach, expect, test } from "vitest";
import { eventually, expectClean } from "@synthesis/testkit";
import { RunningGateway, type GatewayChanges } from "../support/running-gateway.ts";

expectClean();

let gateway: RunningGateway;
afterEach(async () => gateway.close());
const start = async (changes: GatewayChanges = {}) => (gateway = await RunningGateway.start(changes));

const same = { headers: { "x-openclaw-session-key": "one conversation" } };

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

test("when the gateway closes, running and waiting turns are told so; the running one is not cancelled", async () => {
  const { worker } = await start();
  const running = await gateway.stream("a", same);
  const submit = await worker.next("submit");
  const waiting = gateway.chat("b", same);
  await eventually(() => expect(gateway.queues.counts.waiting).toBe(2));
  const { turn } = submit;
  worker.begin({ turn }, "part");
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

test("what was told of a turn that goes on is not taken for its end when the gateway closes", async () => {
  const { worker } = await start();
  const running = await gateway.stream("a");
  const { turn } = await worker.next("submit");
  worker.begin({ turn }, "part");
  await eventually(() => expect(gateway.queues.counts.waiting).toBe(0));
  const restarted = gateway.restart();
  expect((await running.events.rest()).at(-1)).toMatchObject({ error: { code: "shutting_down" } });
  await restarted;
  const next = gateway.chat("b");
  worker.answer(await worker.next("submit"), "B");
  await (await next).text();
  expect(await worker.next("taken")).not.toMatchObject({ turn });
});

test("a gateway that drains takes nothing new, and is done when its turns are", async () => {
  const { worker } = await start();
  const running = await gateway.stream("a", same);
  const waiting = await gateway.stream("b", same);
  const first = await worker.next("submit");
  worker.begin(first, "A");
  let state: "draining" | "drained" = "draining";
  const drained = gateway.drain(10_000).then(() => (state = "drained"));
  await expect(gateway.chat("c")).rejects.toThrow("fetch failed");
  worker.answer(first, "A");
  expect(await running.events.text()).toBe("A");
  const second = await worker.next("submit");
  expect(state).toBe("draining");
  worker.answer(second, "B");
  expect(await waiting.events.text()).toBe("B");
  await drained;
});

test("a gateway that drains does not wait for a turn beyond its deadline", async () => {
  const { worker } = await start();
  const running = await gateway.stream("a");
  worker.begin(await worker.next("submit"), "A");
  await gateway.drain(10);
  await gateway.close();
  expect((await running.events.rest()).at(-1)).toMatchObject({ error: { code: "shutting_down" } });
  expect(worker.unread("cancel_turn")).toBe(0);
});
