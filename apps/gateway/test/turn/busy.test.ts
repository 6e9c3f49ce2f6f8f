import { afterEach, beforeEach, expect, test } from "vitest";
import { eventually, expectClean } from "@synthesis/testkit";
import { ended } from "../support/fake-worker.ts";
import { RunningGateway } from "../support/running-gateway.ts";

expectClean();

let gateway: RunningGateway;
beforeEach(async () => {
  gateway = await RunningGateway.start();
});
afterEach(async () => gateway.close());

const session = { "x-openclaw-session-key": "one conversation" };
const same = { headers: session };
const busy = (policy: string) => ({ headers: { ...session, "x-synthesis-busy": policy } });
const cancelled = {
  state: "cancelled",
  error: { code: "turn_cancelled", message: "interrupted by a newer request" },
} as const;

test.for(["queue", "reject", "interrupt"])("a session at rest is at the service of %s", async (policy) => {
  const { worker } = gateway;
  const asked = gateway.chat("a", busy(policy));
  worker.answer(await worker.next("submit"), "A");
  expect((await asked).status).toBe(200);
  await (await asked).text();
});

test.for([
  ["interrupt", {}, "x-synthesis-busy"],
  ["interrupt", session, null],
  ["queue", {}, null],
] as const)("%s in the session of %j has no effect: %s", async ([policy, headers, ignored]) => {
  const { worker } = gateway;
  const asked = gateway.chat("a", { headers: { ...headers, "x-synthesis-busy": policy } });
  worker.answer(await worker.next("submit"), "A");
  expect((await asked).headers.get("x-synthesis-ignored")).toBe(ignored);
  await (await asked).text();
});

test("a request that would not wait is told so while its session runs or waits, and when to come again", async () => {
  const { worker, queues } = gateway;
  const running = gateway.chat("a", same);
  const submit = await worker.next("submit");
  const refused = await gateway.chat("b", busy("reject"));
  expect([refused.status, refused.headers.get("retry-after")]).toEqual([409, "5"]);
  expect(await refused.json()).toMatchObject({ error: { code: "session_busy" } });
  expect(queues.counts).toEqual({ sessions: 1, waiting: 1 });
  worker.answer(submit, "A");
  await (await running).text();
  await eventually(() => expect(queues.counts.sessions).toBe(0));
  const free = gateway.chat("b", busy("reject"));
  worker.answer(await worker.next("submit"), "B");
  expect((await free).status).toBe(200);
  await (await free).text();
});

test("one that interrupts has the running turn cancelled and is next; what waits keeps its place behind it", async () => {
  const { worker } = gateway;
  const running = await gateway.stream("a", same);
  const first = await worker.next("submit");
  worker.begin(first, "part");
  const waiting = await gateway.stream("b", same);
  const newer = await gateway.stream("c", busy("interrupt"));
  expect(newer.response.headers.get("x-synthesis-queue-position")).toBe("1");
  expect(await worker.next("cancel_turn")).toEqual({
    type: "cancel_turn",
    turn: first.turn,
    reason: "interrupted by a newer request",
  });
  expect(worker.unread("submit")).toBe(0);
  worker.send(ended(first.turn, 2, cancelled));
  expect((await running.events.rest()).at(-1)).toMatchObject({ error: { code: "turn_cancelled" } });
  const second = await worker.next("submit");
  expect(second.prompt).toBe("c");
  worker.answer(second, "C");
  const third = await worker.next("submit");
  expect(third.prompt).toBe("b");
  worker.answer(third, "B");
  expect([await newer.events.text(), await waiting.events.text()]).toEqual(["C", "B"]);
  expect(worker.unread("cancel_turn")).toBe(0);
});

test("one that interrupts takes the place of a turn that waits for a worker", async () => {
  const { worker } = gateway;
  const waiting = await gateway.stream("a", same);
  const draining = await worker.next("submit");
  const error = { code: "worker_draining", message: "it drains", retryAfterMs: 1 } as const;
  worker.send({ type: "refused", turn: draining.turn, error });
  await gateway.ask("GET", "/health").then(async (response) => response.text());
  const newer = await gateway.stream("b", busy("interrupt"));
  expect((await waiting.events.rest()).at(-1)).toMatchObject({ error: { code: "turn_cancelled" } });
  const next = await gateway.nextWorker();
  worker.drop();
  const submit = await next.next("submit");
  expect(submit.prompt).toBe("b");
  next.answer(submit, "B");
  expect(await newer.events.text()).toBe("B");
});

test("other words are refused, and a steering message that has an Idempotency-Key", async () => {
  const keyed = { headers: { ...busy("steer").headers, "idempotency-key": "k" } };
  for (const options of [busy("hurry"), keyed]) {
    const response = await gateway.chat("a", options);
    expect([response.status, await response.json()]).toMatchObject([
      400,
      { error: { code: "invalid_request", message: expect.stringContaining("x-synthesis-busy") as string } },
    ]);
  }
});
