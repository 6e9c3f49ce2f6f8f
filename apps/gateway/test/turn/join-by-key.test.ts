import { afterEach, beforeEach, expect, test } from "vitest";
import { eventually, expectClean } from "@synthesis/testkit";
import { deltas, ended } from "../support/fake-worker.ts";
import { clawKey, RunningGateway } from "../support/running-gateway.ts";

expectClean();

let gateway: RunningGateway;
beforeEach(async () => {
  gateway = await RunningGateway.start();
  const { worker } = gateway;
  worker.find = (frame) => worker.said.find(frame);
});
afterEach(async () => gateway.close());

const keyed = { headers: { "idempotency-key": "k1" } };
const answerOf = (content: string) => ({ choices: [{ message: { content } }] });

test("a request that comes again while its turn runs gets the whole answer, and so does the first", async () => {
  const { worker } = gateway;
  const first = await gateway.stream("a", keyed);
  const { turn } = await worker.next("submit");
  worker.begin({ turn }, "one ");
  await first.events.next();
  expect(await first.events.delta()).toEqual({ content: "one " });
  const again = await gateway.stream("a", keyed);
  expect(await worker.next("follow")).toMatchObject({ turn, after: 0 });
  worker.send(...deltas(turn, 2, "two"), ended(turn, 3));
  expect(await again.events.text()).toBe("one two");
  expect(await first.events.text()).toBe("two");
  const [header, joined] = ["x-synthesis-turn", "x-synthesis-turn-joined"];
  expect([again.response.headers.get(header), again.response.headers.get(joined)]).toEqual([turn, "true"]);
  expect(first.response.headers.get(joined)).toBeNull();
  expect(worker.unread("submit")).toBe(0);
});

test("a request that comes again while its turn waits for its session waits with it", async () => {
  const { worker } = gateway;
  const session = { "x-openclaw-session-key": "one conversation" };
  const before = gateway.chat("before", { headers: session });
  const running = await worker.next("submit");
  const options = { headers: { ...session, ...keyed.headers } };
  const [first, again] = [await gateway.stream("a", options), await gateway.stream("a", options)];
  worker.answer(running, "B");
  worker.answer(await worker.next("submit"), "A");
  expect([await first.events.text(), await again.events.text()]).toEqual(["A", "A"]);
  await (await before).text();
  expect(worker.unread("submit")).toBe(0);
});

test("sixteen at once are one turn, and all of them get its answer", async () => {
  const { worker } = gateway;
  const asked = Array.from({ length: 16 }, () => gateway.chat("a", keyed));
  const submit = await worker.next("submit");
  worker.begin(submit, "one ");
  worker.send(...deltas(submit.turn, 2, "two"), ended(submit.turn, 3));
  for (const response of asked) expect(await (await response).json()).toMatchObject(answerOf("one two"));
  expect(worker.unread("submit")).toBe(0);
});

test("who joins as the turn ends gets its beginning too, and an end", async () => {
  const { worker } = gateway;
  const first = await gateway.stream("a", keyed);
  const { turn } = await worker.next("submit");
  worker.begin({ turn }, "one ", "two ");
  await eventually(() => expect(gateway.queues.counts.waiting).toBe(0));
  const replay = worker.replay;
  worker.replay = () => []; // it reads `follow` only after it has said the end
  const again = gateway.stream("a", keyed);
  await worker.next("follow");
  worker.replay = replay;
  worker.send(ended(turn, 3));
  expect(await (await again).events.text()).toBe("one two ");
  expect(await first.events.text()).toBe("one two ");
});

test("a turn that is over is joined in its worker, and not run again", async () => {
  const { worker, turns } = gateway;
  const first = gateway.chat("a", keyed);
  worker.answer(await worker.next("submit"), "A");
  await (await first).text();
  await eventually(() => expect(turns.size).toBe(0));
  const again = await gateway.chat("a", keyed);
  expect(await again.json()).toMatchObject(answerOf("A"));
  expect(again.headers.get("x-synthesis-turn-joined")).toBe("true");
  expect(worker.unread("submit")).toBe(0);
});

test("after a restart of the gateway the turn is found in its worker by all who ask at once", async () => {
  const { worker } = gateway;
  const first = gateway.chat("a", keyed);
  const submit = await worker.next("submit");
  worker.begin(submit, "one ");
  await eventually(() => expect(gateway.queues.counts.waiting).toBe(0));
  const restarted = gateway.restart();
  const told = await first;
  expect([told.status, told.headers.get("x-should-retry")]).toEqual([503, "true"]); // it joins
  await told.text();
  await restarted;
  const asked = Array.from({ length: 4 }, () => gateway.chat("a", keyed));
  expect(await worker.next("follow")).toMatchObject({ turn: submit.turn, after: 0 });
  worker.send(...deltas(submit.turn, 2, "two"), ended(submit.turn, 3));
  for (const answer of asked) {
    const response = await answer;
    expect(response.headers.get("x-synthesis-turn")).toBe(submit.turn);
    expect(await response.json()).toMatchObject(answerOf("one two"));
  }
  expect(worker.unread("submit")).toBe(0);
  expect(worker.attached).toEqual([
    expect.objectContaining({ gateway: 1, fence: 1 }),
    expect.objectContaining({ gateway: 2, fence: 2 }),
  ]);
});

test("another body under the same key is refused, whether this gateway or only the worker knows the key", async () => {
  const { worker } = gateway;
  const first = gateway.chat("a", keyed);
  const submit = await worker.next("submit");
  const conflict = [422, { error: { code: "idempotency_conflict", type: "invalid_request_error" } }];
  const live = await gateway.chat("b", keyed);
  expect([live.status, await live.json()]).toMatchObject(conflict);
  worker.answer(submit, "A");
  await (await first).text();
  const known = await gateway.chat("b", keyed);
  expect([known.status, await known.json()]).toMatchObject(conflict);
  expect(worker.unread("submit") + worker.unread("follow")).toBe(0);
  expect(gateway.turns.size).toBe(0);
});

test("a key that another API key used is another key; with another agent it is another request", async () => {
  const { worker } = gateway;
  const asked = [gateway.chat("a", keyed)];
  const submits = [await worker.next("submit")];
  asked.push(gateway.chat("a", { ...keyed, key: clawKey }));
  submits.push(await worker.next("submit"));
  const other = await gateway.chat({ model: "other", messages: [{ role: "user", content: "a" }] }, keyed);
  expect(other.status).toBe(422);
  await other.text();
  for (const [index, submit] of submits.entries()) worker.answer(submit, `${index}`);
  for (const [index, response] of asked.entries())
    expect(await (await response).json()).toMatchObject(answerOf(`${index}`));
});

test("a turn that its worker does not give for the key, as it failed without effects, is run anew", async () => {
  const { worker } = gateway;
  worker.find = () => undefined;
  const first = gateway.chat("a", keyed);
  const failed = await worker.next("submit");
  const error = { code: "upstream_overloaded", message: "busy", retryAfterMs: 1 } as const;
  worker.send({ type: "accepted", turn: failed.turn }, ended(failed.turn, 1, { state: "failed", error }));
  expect((await first).status).toBe(503);
  await (await first).text();
  const again = gateway.chat("a", keyed);
  const submit = await worker.next("submit");
  expect(submit.turn).not.toBe(failed.turn);
  expect(submit.request).toEqual(failed.request);
  worker.answer(submit, "A");
  expect(await (await again).json()).toMatchObject(answerOf("A"));
});

test("a key of more than 255 characters is refused", async () => {
  const response = await gateway.chat("a", { headers: { "idempotency-key": "k".repeat(256) } });
  expect([response.status, await response.json()]).toMatchObject([
    400,
    { error: { code: "invalid_request" } },
  ]);
});
