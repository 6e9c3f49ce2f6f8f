import { afterEach, expect, test } from "vitest";
import { eventually, expectClean } from "@synthesis/testkit";
import { RunningGateway, type GatewayChanges } from "../support/running-gateway.ts";

expectClean();

const HOUR_MS = 3_600_000;

let gateway: RunningGateway;
afterEach(async () => gateway.close());

/** A gateway that has heard from its worker until when the account is held. */
async function held(forMs: number, changes: GatewayChanges = {}) {
  gateway = await RunningGateway.start(changes);
  const { worker } = gateway;
  const asked = gateway.chat("first");
  const submit = await worker.next("submit");
  worker.send({ type: "account_held", until: Date.now() + forMs });
  worker.answer(submit, "1");
  await (await asked).text();
  return worker;
}

const answerOf = (content: string) => ({ choices: [{ message: { content } }] });
const streamed = { stream: true, messages: [{ role: "user", content: "hi" }] };

test("while the account is held for longer than queueMs a headless agent's requests are 429, before any stream", async () => {
  const worker = await held(HOUR_MS);
  const refused = await gateway.chat(streamed);
  expect(refused.status).toBe(429);
  expect(refused.headers.get("content-type")).toBe("application/json");
  expect(Number(refused.headers.get("retry-after"))).toBeGreaterThan(3_500);
  expect(await refused.json()).toMatchObject({
    error: { code: "upstream_rate_limit", type: "rate_limit_error" },
  });
  expect(worker.unread("submit")).toBe(0);
  expect(gateway.queues.counts).toEqual({ sessions: 0, waiting: 0 });
});

test("an agent that does not use the account is not held", async () => {
  const worker = await held(HOUR_MS);
  const asked = gateway.chat({ ...streamed, stream: false, model: "other" });
  worker.answer(await worker.next("submit"), "O");
  expect(await (await asked).json()).toMatchObject(answerOf("O"));
});

test("while the account is held for less than queueMs a turn waits, and is submitted when it is free", async () => {
  const worker = await held(60_000);
  const { response, events } = await gateway.stream("hi");
  expect(response.status).toBe(200);
  expect(await events.delta()).toEqual({ role: "assistant", content: "" });
  const other = gateway.chat({ ...streamed, stream: false, model: "other" });
  worker.answer(await worker.next("submit"), "O");
  await (await other).text();
  expect([worker.unread("submit"), gateway.queues.counts.waiting]).toEqual([0, 1]);
  worker.send({ type: "account_held" });
  worker.answer(await worker.next("submit"), "H");
  expect(await events.text()).toBe("H");
});

test("a hold that was told ends by itself", async () => {
  const worker = await held(150);
  const asked = gateway.chat("hi");
  worker.answer(await worker.next("submit"), "H");
  expect(await (await asked).json()).toMatchObject(answerOf("H"));
});

test("a turn that waits for the account hears it when the hold becomes too long", async () => {
  const worker = await held(60_000);
  const { events } = await gateway.stream("hi");
  worker.send({ type: "account_held", until: Date.now() + HOUR_MS });
  expect((await events.rest()).at(-1)).toMatchObject({ error: { code: "upstream_rate_limit" } });
  expect(worker.unread("submit")).toBe(0);
});

test("a hold goes on when the link that told it is lost: it is the account's, not the worker's", async () => {
  const worker = await held(HOUR_MS);
  worker.drop();
  await eventually(() => expect(worker.connections).toBe(0));
  const refused = await gateway.chat("hi");
  expect(refused.status).toBe(429);
  await refused.text();
  expect(worker.unread("submit")).toBe(0);
});

test("a hold that the next generation told stays when the link to the one before is lost", async () => {
  const worker = await held(60_000);
  worker.send({ type: "account_held" });
  const asked = gateway.chat("a");
  const submit = await worker.next("submit");
  const next = await gateway.nextWorker();
  const error = { code: "worker_draining", message: "being replaced", retryAfterMs: 1_000 } as const;
  worker.send({ type: "refused", turn: submit.turn, error });
  next.answer(await next.next("submit"), "A");
  next.send({ type: "account_held", until: Date.now() + HOUR_MS });
  await (await asked).text();
  worker.drop();
  await eventually(() => expect(worker.connections).toBe(0));
  await (await gateway.fetch("/health")).text();
  const refused = await gateway.chat("b");
  expect(refused.status).toBe(429);
  await refused.text();
});
