import { afterEach, expect, test } from "vitest";
import { eventually, expectClean } from "@synthesis/testkit";
import type { Locate } from "@synthesis/protocol";
import { RunningGateway, type GatewayChanges } from "../support/running-gateway.ts";

expectClean();

let gateway: RunningGateway;
afterEach(async () => gateway.close());
const start = async (changes: GatewayChanges = {}) => (gateway = await RunningGateway.start(changes));

const same = { headers: { "x-openclaw-session-key": "one conversation" } };
const history = {
  messages: [
    { role: "user", content: "one" },
    { role: "assistant", content: "two" },
    { role: "user", content: "three" },
  ],
};

/** A worker that leaves the question whether it knows the session open, and when it is asked. */
function holdLocate(): Promise<Locate> {
  const { promise, resolve } = Promise.withResolvers<Locate>();
  gateway.worker.locate = (frame) => {
    resolve(frame);
    return "held";
  };
  return promise;
}

test("a turn waits until a worker accepts it, not only behind others of its session", async () => {
  const { worker, queues } = await start();
  const { events } = await gateway.stream("a", same);
  const { turn } = await worker.next("submit");
  expect(queues.counts).toEqual({ sessions: 1, waiting: 1 });
  worker.send({ type: "accepted", turn });
  await eventually(() => expect(queues.counts).toEqual({ sessions: 1, waiting: 0 }));
  worker.send({ type: "ended", turn, end: { state: "completed", finishReason: "stop" } });
  await events.rest();
});

test("turns that no worker accepts fill the queue of all sessions, one that is accepted leaves it", async () => {
  const { worker } = await start({ limits: { totalQueue: 1 } });
  const first = gateway.chat("a");
  const submit = await worker.next("submit");
  const refused = await gateway.chat("b");
  expect([refused.status, await refused.json()]).toMatchObject([429, { error: { code: "queue_full" } }]);
  worker.send({ type: "accepted", turn: submit.turn });
  await eventually(() => expect(gateway.queues.counts.waiting).toBe(0));
  const second = gateway.chat("c");
  worker.answer(await worker.next("submit"), "C");
  worker.answer(submit, "A");
  for (const response of [await first, await second]) {
    expect(response.status).toBe(200);
    await response.text();
  }
});

test("a worker that does not say whether it knows the session is waited for queueMs long", async () => {
  const { worker, queues } = await start({ limits: { queueMs: 50 } });
  const asked = holdLocate();
  const response = await gateway.chat(history, same);
  expect([response.status, response.headers.get("retry-after")]).toEqual([503, "5"]);
  expect(await response.json()).toMatchObject({ error: { code: "queue_timeout" } });
  expect(queues.counts).toEqual({ sessions: 0, waiting: 0 });
  const { request } = await asked;
  worker.send({ type: "located", request, session: "too late" });
  worker.locate = () => undefined;
  const next = gateway.chat("next", same);
  const submit = await worker.next("submit");
  expect(submit.prompt).toBe("next");
  worker.answer(submit, "N");
  await (await next).text();
});

test("a client that leaves while the worker is asked for the session is never submitted", async () => {
  const { worker, queues } = await start();
  const asked = holdLocate();
  const leaving = new AbortController();
  const left = gateway.chat(history, { ...same, signal: leaving.signal }).catch((error: unknown) => error);
  const { request } = await asked;
  leaving.abort();
  await left;
  await eventually(() => expect(queues.counts).toEqual({ sessions: 0, waiting: 0 }));
  worker.send({ type: "located", request });
  const next = gateway.chat("next", same);
  const submit = await worker.next("submit");
  expect(submit.prompt).toBe("next");
  worker.answer(submit, "N");
  await (await next).text();
});

test("when the gateway closes while the worker is asked for the session, the turn may be sent again", async () => {
  const { worker } = await start();
  const asked = holdLocate();
  const answer = gateway.chat(history, same);
  await asked;
  const closed = gateway.close();
  const response = await answer;
  expect([response.status, response.headers.get("x-should-retry")]).toEqual([503, "true"]);
  expect(await response.json()).toMatchObject({ error: { code: "shutting_down" } });
  await closed;
  expect(worker.unread("submit")).toBe(0);
});

test("a worker that is not started again in time is waited for queueMs long", async () => {
  const { worker, supervisor, queues } = await start({ limits: { queueMs: 1_000 } });
  const running = gateway.chat("a", same);
  await worker.next("submit");
  const right = await supervisor.ensure("demo");
  const { promise: started, resolve: restart } = Promise.withResolvers<void>();
  supervisor.ensure = async () => {
    await started;
    return right;
  };
  const waiting = gateway.chat("b", same);
  await eventually(() => expect(queues.counts.waiting).toBe(2));
  worker.drop();
  await (await running).text();
  await eventually(() => expect(supervisor.asked).toHaveLength(2));
  const response = await waiting;
  expect([response.status, await response.json()]).toMatchObject([503, { error: { code: "queue_timeout" } }]);
  expect(queues.counts).toEqual({ sessions: 0, waiting: 0 });
  restart();
});
