import { randomUUID } from "node:crypto";
import { afterEach, beforeEach, expect, test } from "vitest";
import { eventually, expectClean } from "@synthesis/testkit";
import { deltas, ended } from "../support/fake-worker.ts";
import { Events } from "../support/events.ts";
import { clawKey, RunningGateway } from "../support/running-gateway.ts";

expectClean();

let gateway: RunningGateway;
beforeEach(async () => {
  gateway = await RunningGateway.start();
  const { worker, supervisor } = gateway;
  worker.find = (frame) => worker.said.find(frame);
  const demo = { workspace: "demo", path: "/srv/demo", state: "serving", restarts: 0 };
  supervisor.status = { workers: [demo] };
});
afterEach(async () => gateway.close());

const same = { headers: { "x-openclaw-session-key": "one conversation" } };
const get = async (path: string, headers: Record<string, string> = {}) =>
  gateway.ask("GET", `/v1/synthesis/turns/${path}`, { headers });
const read = async (path: string, headers?: Record<string, string>) => new Events(await get(path, headers));

/** A turn that ran to its end, whose client has its answer. */
async function finished(...texts: readonly string[]) {
  const { worker, turns } = gateway;
  const asked = gateway.chat("a", same);
  const { turn, session } = await worker.next("submit");
  worker.begin({ turn }, ...texts);
  worker.send(ended(turn, texts.length + 1));
  await (await asked).text();
  await eventually(() => expect(turns.size).toBe(0));
  return { turn, session: session.id };
}

/** A stream that runs, and its turn. */
async function running(...texts: readonly string[]) {
  const { events } = await gateway.stream("a", same);
  const { turn } = await gateway.worker.next("submit");
  gateway.worker.begin({ turn }, ...texts);
  await events.next();
  for (const content of texts) expect(await events.delta()).toEqual({ content });
  return { turn, events };
}

test("a turn says how it is: waiting here, running, over, and with which error", async () => {
  const { worker } = gateway;
  const { turn, events } = await running("part");
  expect(await (await get(turn)).json()).toMatchObject({
    id: turn,
    agent: "echo",
    state: "started",
    last_event: `${turn}:1`,
    accepted_at: "1970-01-01T00:00:01.000Z",
  });
  const waiting = await gateway.stream("b", same);
  const id = waiting.response.headers.get("x-synthesis-turn")!;
  expect(await (await get(id)).json()).toMatchObject({ id, state: "waiting" });
  worker.send(ended(turn, 2, { state: "failed", error: { code: "turn_failed", message: "it broke" } }));
  await events.rest();
  worker.answer(await worker.next("submit"), "B");
  await waiting.events.rest();
  expect(await (await get(turn)).json()).toMatchObject({
    state: "failed",
    ended_at: "1970-01-01T00:00:02.000Z",
    error: { code: "turn_failed", message: "it broke" },
  });
  expect(await (await get(id)).json()).not.toHaveProperty("error");
});

test.for(["", "/events"])("a turn of another API key, or of nobody, is not found at %j", async (path) => {
  const { turn } = await finished("A");
  const notFound = [404, { error: { code: "turn_not_found" } }];
  const asked = [
    gateway.ask("GET", `/v1/synthesis/turns/${turn}${path}`, { key: clawKey }),
    get(`${randomUUID()}${path}`),
  ];
  for (const answer of asked)
    expect([(await answer).status, await (await answer).json()]).toMatchObject(notFound);
  const odd = await get(`not-a-turn${path}`);
  expect([odd.status, await odd.json()]).toMatchObject([400, { error: { code: "invalid_request" } }]);
});

test("another API key can neither see nor cancel a turn that runs or waits here", async () => {
  const { worker } = gateway;
  const { turn, events } = await running("A");
  const waiting = await gateway.stream("b", same);
  const id = waiting.response.headers.get("x-synthesis-turn")!;
  for (const path of [turn, id]) {
    for (const method of ["GET", "DELETE"]) {
      const response = await gateway.ask(method, `/v1/synthesis/turns/${path}`, { key: clawKey });
      expect(response.status).toBe(404);
      await response.text();
    }
  }
  expect(worker.unread("cancel_turn")).toBe(0);
  worker.send(ended(turn, 2));
  expect(await events.text()).toBe("");
  worker.answer(await worker.next("submit"), "B");
  expect(await waiting.events.text()).toBe("B");
});

test("a turn that is over stays as it ended; its worker hears of the cancel, for what it asked", async () => {
  const { turn } = await finished("1", "2");
  const response = await gateway.ask("DELETE", `/v1/synthesis/turns/${turn}`);
  expect([response.status, await response.json()]).toEqual([200, { id: turn, state: "completed" }]);
  expect(await gateway.worker.next("cancel_turn")).toMatchObject({ turn });
});

test("the events of a turn that is over are read again, each with its id", async () => {
  const { turn } = await finished("1", "2");
  const events = await read(`${turn}/events`);
  expect(await events.delta()).toEqual({ role: "assistant", content: "" });
  expect(events.lastId).toBeUndefined();
  for (const [index, content] of ["1", "2"].entries()) {
    expect(await events.delta()).toEqual({ content });
    expect(events.lastId).toBe(`${turn}:${index + 1}`);
  }
  expect(await events.next()).toMatchObject({ choices: [{ finish_reason: "stop" }] });
  expect(events.lastId).toBe(`${turn}:3`);
  expect(await events.rest()).toEqual(["[DONE]"]);
});

test("with Last-Event-ID only later events are told, of a turn that is over and of one that runs", async () => {
  const { worker } = gateway;
  const { turn } = await finished("1", "2", "3");
  for (const id of [`${turn}:2`, "2"])
    expect(await (await read(`${turn}/events`, { "last-event-id": id })).text()).toBe("3");
  const whole = await read(`${turn}/events`, { "last-event-id": `${turn}:4` });
  expect(await whole.text()).toBe("");
  const live = await running("4", "5");
  const later = await read(`${live.turn}/events`, { "last-event-id": `${live.turn}:1` });
  worker.send(...deltas(live.turn, 3, "6"), ended(live.turn, 4));
  expect(await later.text()).toBe("56");
  expect(await live.events.text()).toBe("6");
});

test.for(["x", "-1", "1.5", "9", `${randomUUID()}:1`])(
  "Last-Event-ID %j is no event of the turn",
  async (id) => {
    const { turn } = await finished("1");
    const response = await get(`${turn}/events`, { "last-event-id": id });
    expect([response.status, await response.json()]).toMatchObject([
      400,
      { error: { code: "invalid_request" } },
    ]);
  },
);

test("who reads a turn's events may leave: the turn goes on for its client", async () => {
  const { worker } = gateway;
  const { turn, events } = await running("1");
  const leaving = new AbortController();
  const path = `/v1/synthesis/turns/${turn}/events`;
  const watching = new Events(await gateway.ask("GET", path, { signal: leaving.signal }));
  await watching.next();
  leaving.abort();
  await (await gateway.fetch("/health")).text();
  worker.send(...deltas(turn, 2, "2"), ended(turn, 3));
  expect(await events.text()).toBe("2");
  expect(worker.unread("cancel_turn")).toBe(0);
});

test("who reads the events of a turn that has no client may leave too", async () => {
  await gateway.close();
  gateway = await RunningGateway.start({ limits: { vanishedMs: 10 } });
  const { worker, turns } = gateway;
  worker.find = (frame) => worker.said.find(frame);
  const { turn, events } = await running("1");
  const restarted = gateway.restart();
  await events.rest();
  await restarted;
  const leaving = new AbortController();
  const path = `/v1/synthesis/turns/${turn}/events?workspace=demo`;
  const watching = new Events(await gateway.ask("GET", path, { signal: leaving.signal }));
  await watching.next();
  leaving.abort();
  const later = new AbortController();
  const { events: others } = await gateway.stream("b", { signal: later.signal });
  await others.next();
  const other = await worker.next("submit");
  later.abort();
  expect(await worker.next("cancel_turn")).toMatchObject({ turn: other.turn });
  expect(worker.unread("cancel_turn")).toBe(0);
  worker.answer(other, "B");
  worker.send(ended(turn, 2));
  await eventually(() => expect(turns.size).toBe(0));
});

test("the events of a turn whose beginning is not kept are an error, and no stream", async () => {
  const { worker } = gateway;
  const { turn } = await finished("1");
  worker.replay = (id) => [{ type: "gone", turn: id, end: { state: "completed", finishReason: "stop" } }];
  const response = await get(`${turn}/events`);
  expect([response.status, await response.json()]).toMatchObject([410, { error: { code: "turn_gone" } }]);
});

test("DELETE cancels a turn that waits, before any worker has it", async () => {
  const { worker } = gateway;
  const { turn, events } = await running("A");
  const waiting = await gateway.stream("b", same);
  const id = waiting.response.headers.get("x-synthesis-turn")!;
  const deleted = await gateway.ask("DELETE", `/v1/synthesis/turns/${id}`);
  expect([deleted.status, await deleted.json()]).toEqual([202, { id, state: "cancelling" }]);
  expect((await waiting.events.rest()).at(-1)).toMatchObject({ error: { code: "turn_cancelled" } });
  worker.send(ended(turn, 2));
  await events.rest();
  expect(worker.unread("submit")).toBe(0);
});

test("DELETE cancels a turn that runs, also one that only its worker knows; one that is over stays as it is", async () => {
  const { worker } = gateway;
  const { turn, events } = await running("A");
  const path = `/v1/synthesis/turns/${turn}`;
  const live = await gateway.ask("DELETE", path);
  expect(live.status).toBe(202);
  await live.text();
  expect(await worker.next("cancel_turn")).toMatchObject({ turn, reason: "asked to by DELETE" });
  const restarted = gateway.restart();
  await events.rest();
  await restarted;
  const known = await gateway.ask("DELETE", path);
  expect(known.status).toBe(202);
  await known.text();
  expect(await worker.next("cancel_turn")).toMatchObject({ turn });
  worker.send(
    ended(turn, 2, { state: "cancelled", error: { code: "turn_cancelled", message: "cancelled" } }),
  );
  const over = await gateway.ask("DELETE", path);
  expect([over.status, await over.json()]).toEqual([200, { id: turn, state: "cancelled" }]);
  expect(worker.unread("cancel_turn")).toBe(0);
});

test("?workspace= asks the worker of that workspace only", async () => {
  const { turn } = await finished("A");
  const right = await gateway.supervisor.ensure("demo");
  gateway.supervisor.status = { workers: [] };
  expect((await get(turn)).status).toBe(404);
  const found = await get(`${turn}?workspace=demo`);
  expect([found.status, await found.json()]).toMatchObject([200, { id: turn }]);
  gateway.supervisor.ensure = (workspace) =>
    workspace === "demo" ? right : { code: "workspace_not_found", message: "no such workspace" };
  const other = await get(`${turn}?workspace=other`);
  expect([other.status, await other.json()]).toMatchObject([404, { error: { code: "workspace_not_found" } }]);
});
