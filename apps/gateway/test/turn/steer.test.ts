import { afterEach, beforeEach, expect, test } from "vitest";
import { eventually, expectClean } from "@synthesis/testkit";
import type { Submit } from "@synthesis/protocol";
import { makeAsk } from "../support/fake-asks.ts";
import { deltas, ended } from "../support/fake-worker.ts";
import type { Events } from "../support/events.ts";
import { RunningGateway } from "../support/running-gateway.ts";

expectClean();

let gateway: RunningGateway;
beforeEach(async () => {
  await start(30);
});
async function start(vanishedMs: number): Promise<void> {
  gateway = await RunningGateway.start({ limits: { vanishedMs } });
  gateway.worker.locate = ({ by }) => ("session" in by ? by.session : undefined);
}
afterEach(async () => gateway.close());

const session = { "x-openclaw-session-key": "one conversation" };
const same = { headers: session };
const steer = { headers: { ...session, "x-synthesis-busy": "steer" } };

interface Running {
  readonly events: Events;
  readonly submit: Submit;
  readonly leave: () => void;
}

/** A turn that runs and has said "one ". */
async function run(headers: Record<string, string> = {}): Promise<Running> {
  const { worker } = gateway;
  const leaving = new AbortController();
  const options = { headers: { ...session, ...headers }, signal: leaving.signal };
  const { events } = await gateway.stream("a", options);
  const submit = await worker.next("submit");
  worker.begin(submit, "one ");
  expect(await events.delta()).toMatchObject({ role: "assistant" });
  expect(await events.delta()).toEqual({ content: "one " });
  return { events, submit, leave: () => leaving.abort() };
}

test("a message that is taken up joins the running turn: nothing of before, all from then on", async () => {
  const { worker, queues, turns } = gateway;
  const { events, submit } = await run();
  const { turn } = submit;
  const steering = await gateway.stream("b", steer);
  expect(await steering.events.delta()).toMatchObject({ role: "assistant" });
  expect(steering.response.headers.get("x-synthesis-steers")).toBe(turn);
  const said = await worker.next("steer");
  expect(said).toMatchObject({ turn, prompt: "b" });
  expect([turn, steering.response.headers.get("x-synthesis-turn")]).not.toContain(said.message);
  worker.send(...deltas(turn, 2, "two "), { type: "steered", request: said.request, after: 2 });
  expect(await worker.next("follow")).toMatchObject({ turn, after: 2 });
  expect(queues.counts).toEqual({ sessions: 1, waiting: 0 });
  const own = `/v1/synthesis/turns/${steering.response.headers.get("x-synthesis-turn")}?workspace=demo`;
  expect(await (await gateway.ask("GET", own)).json()).toMatchObject({ state: "steered" });
  const response = `/v1/responses/resp_${(steering.response.headers.get("x-synthesis-turn") ?? "").replaceAll("-", "")}?workspace=demo`;
  expect(await (await gateway.ask("GET", response)).json()).toMatchObject({
    status: "in_progress",
    model: "echo",
  });
  worker.send(...deltas(turn, 3, "three "), ...deltas(turn, 4, "four"), ended(turn, 5));
  expect(await steering.events.text()).toBe("three four");
  expect(await events.text()).toBe("two three four");
  await eventually(() => expect([turns.size, queues.counts.sessions]).toEqual([0, 0]));
  expect(worker.unread("submit")).toBe(0);
});

test("without a stream its answer ends with the next question there, which its client can answer then", async () => {
  const { worker } = gateway;
  const { events, submit } = await run();
  const { turn } = submit;
  const steering = gateway.chat("b", steer);
  const { request } = await worker.next("steer");
  worker.send({ type: "steered", request, after: 1 });
  await worker.next("follow");
  const ask = makeAsk({ turn, session: submit.session.id, isInAnswer: true });
  worker.send(...deltas(turn, 2, "two, and may I? "), { type: "asked", turn, seq: 3, ask });
  expect(await (await steering).json()).toMatchObject({
    choices: [{ message: { content: "two, and may I? " }, finish_reason: "stop" }],
    synthesis: { asks: [{ id: ask.id }] },
  });
  worker.send(...deltas(turn, 4, "three"), ended(turn, 5));
  expect(await events.text()).toBe("two, and may I? three");
  expect(worker.unread("cancel_turn")).toBe(0);
});

test("a message that is taken up as the turn ends has what was said in between, and the end", async () => {
  const { worker } = gateway;
  const { events, submit } = await run();
  const steering = await gateway.stream("b", steer);
  const { request } = await worker.next("steer");
  const { turn } = submit;
  worker.send({ type: "steered", request, after: 1 }, ...deltas(turn, 2, "two"), ended(turn, 3));
  expect(await steering.events.text()).toBe("two");
  expect(await events.text()).toBe("two");
});

test("a message that is not taken up is a turn of its own, on the same stream, after those that waited", async () => {
  const { worker } = gateway;
  const { events, submit } = await run();
  const waiting = await gateway.stream("w", same);
  const steering = await gateway.stream("b", steer);
  const { request } = await worker.next("steer");
  worker.send({ type: "steered", request }, ended(submit.turn, 2));
  expect(await events.text()).toBe("");
  const before = await worker.next("submit");
  expect(before.prompt).toBe("w");
  worker.answer(before, "W");
  const own = await worker.next("submit");
  expect([own.prompt, own.turn]).toEqual(["b", steering.response.headers.get("x-synthesis-turn")]);
  worker.answer(own, "B");
  expect([await waiting.events.text(), await steering.events.text()]).toEqual(["W", "B"]);
});

test("a message whose fate is lost with the link is never said again: its client is told that it is not known", async () => {
  const { worker, turns } = gateway;
  const { events, submit } = await run();
  const steering = gateway.chat("b", steer);
  await worker.next("steer");
  worker.drop();
  const answer = await steering;
  expect(answer.headers.get("x-should-retry")).toBe("false");
  expect(await answer.json()).toMatchObject({ error: { code: "turn_interrupted" } });
  await worker.next("follow");
  worker.send(ended(submit.turn, 2));
  expect(await events.text()).toBe("");
  await eventually(() => expect(turns.size).toBe(0));
  expect(worker.unread("steer") + worker.unread("submit")).toBe(0);
});

test("a session at rest is not steered: the message is a turn", async () => {
  const { worker } = gateway;
  const { events, response } = await gateway.stream("a", steer);
  worker.answer(await worker.next("submit"), "A");
  expect(await events.text()).toBe("A");
  expect(response.headers.get("x-synthesis-steers")).toBeNull();
  expect(worker.unread("steer")).toBe(0);
});

test("a steering client that leaves cancels nothing of the others', whether it was heard or not", async () => {
  const { worker } = gateway;
  const { events, submit } = await run();
  const [unheard, heard] = [new AbortController(), new AbortController()];
  await gateway.stream("b", { ...steer, signal: unheard.signal });
  const said = await worker.next("steer");
  unheard.abort();
  const { turn, message } = said;
  expect(await worker.next("withdraw_steer")).toMatchObject({ turn, message });
  worker.send({ type: "steered", request: said.request });
  const second = await gateway.stream("c", { ...steer, signal: heard.signal });
  const { request } = await worker.next("steer");
  worker.send({ type: "steered", request, after: 1 }, ...deltas(submit.turn, 2, "two "));
  await second.events.delta();
  expect(await second.events.delta()).toEqual({ content: "two " });
  heard.abort();
  // By the time that another turn is cancelled, this one would be.
  const other = new AbortController();
  await gateway.stream("other", { signal: other.signal });
  const alone = await worker.next("submit");
  worker.begin(alone);
  other.abort();
  expect(await worker.next("cancel_turn")).toMatchObject({ turn: alone.turn });
  worker.send(ended(alone.turn, 1));
  worker.send(...deltas(submit.turn, 3, "three"), ended(submit.turn, 4));
  expect(await events.text()).toBe("two three");
  expect(worker.unread("cancel_turn") + worker.unread("submit")).toBe(0);
});

test("a turn whose own client has left goes on for the one that steered it, and is cancelled when that leaves", async () => {
  const { worker } = gateway;
  const { submit, leave } = await run();
  const { turn } = submit;
  const leaving = new AbortController();
  const steering = await gateway.stream("b", { ...steer, signal: leaving.signal });
  const { request } = await worker.next("steer");
  worker.send({ type: "steered", request, after: 1 }, ...deltas(turn, 2, "two "));
  await steering.events.delta();
  expect(await steering.events.delta()).toEqual({ content: "two " });
  leave();
  await (await gateway.fetch("/health")).text();
  worker.send(...deltas(turn, 3, "three"));
  expect(await steering.events.delta()).toEqual({ content: "three" });
  expect(worker.unread("cancel_turn")).toBe(0);
  leaving.abort();
  expect(await worker.next("cancel_turn")).toMatchObject({ turn, reason: "the client left" });
  worker.send(ended(turn, 4));
  await eventually(() => expect(gateway.turns.size).toBe(0));
});

test("a turn that is to go on without clients goes on when the one that steered it leaves", async () => {
  const { worker, turns } = gateway;
  const { submit, leave } = await run({ "x-synthesis-on-disconnect": "continue" });
  const { turn } = submit;
  const leaving = new AbortController();
  const steering = await gateway.stream("b", { ...steer, signal: leaving.signal });
  const { request } = await worker.next("steer");
  worker.send({ type: "steered", request, after: 1 }, ...deltas(turn, 2, "two "));
  await steering.events.delta();
  await steering.events.delta();
  leave();
  await (await gateway.fetch("/health")).text();
  leaving.abort();
  const next = await gateway.stream("n", same); // it would cancel a turn that is only waiting for its client
  worker.send(ended(turn, 3));
  worker.answer(await worker.next("submit"), "N");
  expect(await next.events.text()).toBe("N");
  await eventually(() => expect(turns.size).toBe(0));
  expect(worker.unread("cancel_turn")).toBe(0);
});

test("a turn that all have left waits for their return, though a message was taken up in it", async () => {
  await gateway.close();
  await start(600_000);
  const { worker, turns } = gateway;
  const { submit, leave } = await run();
  const leaving = new AbortController();
  const steering = await gateway.stream("b", { ...steer, signal: leaving.signal });
  const { request } = await worker.next("steer");
  worker.send({ type: "steered", request, after: 1 }, ...deltas(submit.turn, 2, "two "));
  await steering.events.delta();
  await steering.events.delta();
  leaving.abort();
  await (await gateway.fetch("/health")).text();
  leave();
  const { caller, body } = submit.request;
  await eventually(() => expect(turns.find(caller, { body })?.id).toBe(submit.turn));
  expect(worker.unread("cancel_turn")).toBe(0);
  const next = await gateway.stream("n", same);
  expect(await worker.next("cancel_turn")).toMatchObject({ turn: submit.turn });
  worker.send(ended(submit.turn, 3));
  worker.answer(await worker.next("submit"), "N");
  expect(await next.events.text()).toBe("N");
});

test("an SDK's retry of a message that was taken up is not said again", async () => {
  const { worker, turns } = gateway;
  const { events, submit } = await run();
  const leaving = new AbortController();
  const messages = [{ role: "user", content: "b" }];
  const first = gateway.chat({ messages }, { ...steer, signal: leaving.signal }).catch(() => {});
  const { request } = await worker.next("steer");
  worker.send({ type: "steered", request, after: 1 }, ...deltas(submit.turn, 2, "two "));
  await worker.next("follow");
  leaving.abort();
  await first;
  const { caller } = submit.request;
  const headers = { ...steer.headers, "x-stainless-retry-count": "1" };
  const again = gateway.chat({ messages }, { headers });
  expect(await worker.next("follow")).toMatchObject({ turn: submit.turn, after: 1 });
  worker.send(...deltas(submit.turn, 3, "three"), ended(submit.turn, 4));
  expect(await (await again).json()).toMatchObject({ choices: [{ message: { content: "two three" } }] });
  expect(await events.text()).toBe("two three");
  expect(worker.unread("steer") + worker.unread("submit")).toBe(0);
  await eventually(() => expect(turns.find(caller, { turn: submit.turn })).toBeUndefined());
});

/** A message that the agent may have, and what cancels its turn. */
async function open() {
  const { worker } = gateway;
  const { events, submit } = await run();
  const steering = await gateway.stream("b", steer);
  const said = await worker.next("steer");
  const own = steering.response.headers.get("x-synthesis-turn");
  const cancel = async () => {
    const answer = await gateway.ask("DELETE", `/v1/synthesis/turns/${own}?workspace=demo`);
    expect(await answer.json()).toMatchObject({ state: "cancelling" });
    const { turn, message } = said;
    expect(await worker.next("withdraw_steer")).toMatchObject({ turn, message });
  };
  return { worker, events, submit, steering, said, cancel };
}

test("a message that is cancelled before the agent has it is not run", async () => {
  const { worker, events, submit, steering, said, cancel } = await open();
  await cancel();
  worker.send({ type: "steered", request: said.request });
  expect((await steering.events.rest()).at(-1)).toMatchObject({ error: { code: "turn_cancelled" } });
  worker.send(ended(submit.turn, 2));
  expect(await events.text()).toBe("");
  expect(worker.unread("submit") + worker.unread("cancel_turn")).toBe(0);
});

test("a message that the agent had when it was cancelled is part of the running turn, which goes on", async () => {
  const { worker, events, submit, steering, said, cancel } = await open();
  await cancel();
  worker.send({ type: "steered", request: said.request, after: 1 });
  await worker.next("follow");
  worker.send(...deltas(submit.turn, 2, "two"), ended(submit.turn, 3));
  expect(await steering.events.text()).toBe("two");
  expect(await events.text()).toBe("two");
  expect(worker.unread("submit") + worker.unread("cancel_turn")).toBe(0);
});

test("a message that is cancelled, and whose fate is lost then, is not said to be cancelled", async () => {
  const { worker, steering, cancel, submit, events } = await open();
  await cancel();
  worker.drop();
  expect((await steering.events.rest()).at(-1)).toMatchObject({ error: { code: "turn_interrupted" } });
  await worker.next("follow");
  worker.send(ended(submit.turn, 2));
  expect(await events.text()).toBe("");
});

/** A message on its way into the running turn, whose client leaves, and whose retry comes. */
async function onItsWay() {
  await gateway.close();
  await start(600_000);
  const { worker, turns } = gateway;
  const { events, submit } = await run();
  const client = new AbortController();
  const { response } = await gateway.stream("b", { ...steer, signal: client.signal });
  const own = response.headers.get("x-synthesis-turn") ?? "";
  const said = await worker.next("steer");
  const { turn, message } = said;
  const isVanished = () => turns.find(submit.request.caller, { turn: own })?.isVanished;
  return {
    worker,
    events,
    submit,
    request: said.request,
    own,
    isWithdrawn: async () => expect(await worker.next("withdraw_steer")).toMatchObject({ turn, message }),
    leave: async () => {
      client.abort();
      await eventually(() => expect(isVanished()).toBe(true));
    },
    retry: async () => {
      const headers = { ...steer.headers, "x-stainless-retry-count": "1" };
      const again = await gateway.stream("b", { headers });
      expect(again.response.headers.get("x-synthesis-turn")).toBe(own);
      expect(isVanished()).toBe(false);
      return again.events;
    },
  };
}

test("an SDK's retry of a message whose fate is open waits for it too, and it is not said again", async () => {
  const { worker, events, submit, request, isWithdrawn, leave, retry } = await onItsWay();
  await leave();
  await isWithdrawn();
  const again = await retry();
  worker.send({ type: "steered", request, after: 1 });
  await worker.next("follow");
  worker.send(...deltas(submit.turn, 2, "two"), ended(submit.turn, 3));
  expect(await again.text()).toBe("two");
  expect(await events.text()).toBe("two");
  expect(worker.unread("steer") + worker.unread("submit")).toBe(0);
});

test("a message whose client came back is a turn where it was not taken up", async () => {
  const { worker, events, submit, request, own, leave, retry } = await onItsWay();
  await leave();
  const again = await retry();
  worker.send({ type: "steered", request }, ended(submit.turn, 2));
  const next = await worker.next("submit");
  expect([next.turn, next.prompt]).toEqual([own, "b"]);
  worker.answer(next, "B");
  expect([await events.text(), await again.text()]).toEqual(["", "B"]);
  expect(worker.unread("cancel_turn")).toBe(0);
});

test("an SDK's retry of a message that was cancelled too late joins the turn that took it up", async () => {
  const { worker, events, submit, request, own, isWithdrawn, leave, retry } = await onItsWay();
  await (await gateway.ask("DELETE", `/v1/synthesis/turns/${own}?workspace=demo`)).text();
  await isWithdrawn();
  worker.send({ type: "steered", request, after: 1 });
  await worker.next("follow");
  await leave();
  const again = await retry();
  worker.send(...deltas(submit.turn, 2, "two"), ended(submit.turn, 3));
  expect([await events.text(), await again.text()]).toEqual(["two", "two"]);
  expect(worker.unread("steer") + worker.unread("submit")).toBe(0);
});

test("a message that waits to be taken up waits no longer than any turn, and is taken back first", async () => {
  await gateway.close();
  gateway = await RunningGateway.start({ limits: { queueMs: 200 } });
  gateway.worker.locate = ({ by }) => ("session" in by ? by.session : undefined);
  const { worker } = gateway;
  const { events, submit } = await run();
  const steering = gateway.chat("b", steer);
  const { request } = await worker.next("steer");
  await worker.next("withdraw_steer");
  worker.send({ type: "steered", request });
  expect(await (await steering).json()).toMatchObject({ error: { code: "queue_timeout" } });
  worker.send(ended(submit.turn, 2));
  expect(await events.text()).toBe("");
  expect(worker.unread("submit")).toBe(0);
});
