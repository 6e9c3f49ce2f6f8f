import { afterEach, expect, test } from "vitest";
import { eventually, expectClean } from "@synthesis/testkit";
import type { Locate } from "@synthesis/protocol";
import { ended } from "../support/fake-worker.ts";
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
  worker.send(ended(turn, 1));
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

test("a worker that does not say whether it knows the session is not waited for without end", async () => {
  const { worker, queues } = await start({ limits: { hangMs: 50 } });
  const asked = holdLocate();
  const response = await gateway.chat(history, same);
  expect([response.status, response.headers.get("retry-after")]).toEqual([503, "5"]);
  expect(await response.json()).toMatchObject({ error: { code: "worker_unavailable" } });
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

test("a worker that cannot say whether it knows the session says why, and keeps its link", async () => {
  const { worker, supervisor } = await start();
  const asked = holdLocate();
  const answer = gateway.chat(history, same);
  const { request } = await asked;
  const error = { code: "agent_unavailable", message: "raise ulimit -n", retryAfterMs: 5_000 } as const;
  worker.send({ type: "unanswered", request, error });
  const response = await answer;
  expect([response.status, response.headers.get("retry-after")]).toEqual([503, "5"]);
  expect(await response.json()).toMatchObject({ error: { code: error.code, message: error.message } });
  worker.locate = () => undefined;
  const next = gateway.chat("next", same);
  worker.answer(await worker.next("submit"), "N");
  await (await next).text();
  expect(supervisor.asked).toEqual(["demo"]);
});

test("clients that leave while the worker is asked for the session are never submitted, and leave no timer", async () => {
  const { worker } = await start();
  const asked: Locate[] = [];
  worker.locate = (frame) => {
    asked.push(frame);
    return "held";
  };
  const leaving = new AbortController();
  const left = ["a", "b", "c", "d"].map(async (name) => {
    const headers = { "x-openclaw-session-key": name };
    await gateway.chat({ ...history, stream: true }, { headers, signal: leaving.signal }).catch(() => {});
  });
  await eventually(() => expect(asked).toHaveLength(4));
  leaving.abort();
  await Promise.all(left);
  // The gateway has seen it when it has answered what came after it.
  for (let n = 0; n < 2; n++) await (await gateway.fetch("/health")).text();
  worker.send(...asked.map(({ request }) => ({ type: "located", request }) as const));
  worker.locate = () => undefined;
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

test("a turn that waits for a worker that is not started again in time is told so, and may be sent again", async () => {
  const { worker, supervisor, queues } = await start({ limits: { queueMs: 1_000 } });
  const running = gateway.chat("a", same);
  const first = await worker.next("submit");
  const waiting = gateway.chat("b", same);
  await eventually(() => expect(queues.counts.waiting).toBe(2));
  const { promise: started, resolve: restart } = Promise.withResolvers<void>();
  const right = await supervisor.ensure("demo");
  supervisor.ensure = async () => {
    await started;
    return right;
  };
  worker.drop();
  const response = await waiting;
  expect([response.status, response.headers.get("x-should-retry")]).toEqual([503, "true"]);
  expect(await response.json()).toMatchObject({ error: { code: "queue_timeout" } });
  restart();
  expect(await worker.next("submit")).toMatchObject({ turn: first.turn });
  worker.answer(first, "A");
  expect((await running).status).toBe(200);
  await (await running).text();
  expect(queues.counts).toEqual({ sessions: 0, waiting: 0 });
});
