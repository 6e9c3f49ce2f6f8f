import { monotonicMs } from "@synthesis/kit";
import { eventually, expectClean } from "@synthesis/testkit";
import type { AgentAsk, Submit, WorkerFrame } from "@synthesis/protocol";
import { afterEach, beforeEach, expect, test } from "vitest";
import { callerHash } from "../../src/identity/request-identity.ts";
import type { Events } from "../support/events.ts";
import { FakeAsks, makeAsk } from "../support/fake-asks.ts";
import { deltas, ended } from "../support/fake-worker.ts";
import { clawKey, RunningGateway, type GatewayChanges } from "../support/running-gateway.ts";

expectClean();

let gateway: RunningGateway;
let asks: FakeAsks;
beforeEach(async () => {
  await start();
});
async function start(changes: GatewayChanges = { limits: { vanishedMs: 30 } }): Promise<void> {
  gateway = await RunningGateway.start(changes);
  asks = new FakeAsks();
  const { worker } = gateway;
  worker.onRequest = asks.answer;
  worker.locate = ({ by }) => ("session" in by ? by.session : undefined);
  worker.find = (frame) => worker.said.find(frame);
}
afterEach(async () => gateway.close());

const session = { "x-openclaw-session-key": "one conversation" };
const same = { headers: session };

interface Asking {
  readonly events: Events;
  readonly submit: Submit;
  readonly ask: AgentAsk;
  readonly leave: () => void;
}

const settled = (turn: string, seq: number, ask: AgentAsk): WorkerFrame => ({
  type: "ask_settled",
  turn,
  seq,
  ask: ask.id,
  behavior: "allow",
  by: "chat",
});

/** A turn whose agent has said "may I? " and asks. */
async function asking(some: Partial<AgentAsk> = {}, headers: Record<string, string> = {}): Promise<Asking> {
  const { worker } = gateway;
  const leaving = new AbortController();
  const options = { headers: { ...session, ...headers }, signal: leaving.signal };
  const { events } = await gateway.stream("a", options);
  const submit = await worker.next("submit");
  const { turn } = submit;
  const ask = asks.add(submit.request.caller, makeAsk({ turn, session: submit.session.id, ...some }));
  worker.begin(submit, "may I? ");
  worker.send({ type: "asked", turn, seq: 2, ask });
  await events.delta();
  expect(await events.delta()).toEqual({ content: "may I? " });
  expect(await events.next()).toMatchObject({ synthesis: { asked: { id: ask.id } } });
  return { events, submit, ask, leave: () => leaving.abort() };
}

test("a verdict settles the ask of the running turn and has the rest of it; the first client has it too", async () => {
  const { worker, turns, queues } = gateway;
  const { events, submit, ask } = await asking();
  const { turn } = submit;
  const verdict = await gateway.stream("Yes.", same);
  expect(asks.heard).toMatchObject([{ ask: ask.id, words: "Yes." }]);
  expect(verdict.response.headers.get("x-synthesis-settles")).toBe(ask.id);
  const own = verdict.response.headers.get("x-synthesis-turn");
  expect(own).not.toBe(turn);
  expect(await worker.next("follow")).toMatchObject({ turn, after: 2 });
  expect(queues.counts).toEqual({ sessions: 1, waiting: 0 });
  worker.send(settled(turn, 3, ask), ...deltas(turn, 4, "done"), ended(turn, 5));
  expect(await verdict.events.text()).toBe("done");
  expect(await events.text()).toBe("done");
  expect(worker.unread("submit") + worker.unread("steer")).toBe(0);
  await eventually(() => expect([turns.size, queues.counts.sessions]).toEqual([0, 0]));
});

test("a verdict may come without a stream", async () => {
  const { worker } = gateway;
  const { events, submit, ask } = await asking();
  const verdict = gateway.chat("no, not there", same);
  const { turn } = await worker.next("follow");
  expect(asks.heard).toMatchObject([{ ask: ask.id, words: "no, not there" }]);
  worker.send(settled(turn, 3, ask), ...deltas(turn, 4, "then not"), ended(turn, 5));
  expect(await (await verdict).json()).toMatchObject({
    choices: [{ message: { content: "then not" } }],
    synthesis: { asks: [{ id: ask.id, behavior: "allow", by: "chat" }] },
  });
  expect(submit.turn).toBe(turn);
  await events.rest();
});

test("a verdict that comes without a stream is answered with the next question, and the turn goes on", async () => {
  const { worker } = gateway;
  const { events, submit, ask, leave } = await asking();
  const { turn } = submit;
  const answering = gateway.chat("yes", same);
  await worker.next("follow");
  const make = (more: object) => makeAsk({ turn, session: submit.session.id, ...more });
  const untold = { type: "asked", turn, seq: 4, ask: make({}) } as const; // its answer is to meet a schema
  const second = asks.add(submit.request.caller, make({ isInAnswer: true }));
  const asked = { type: "asked", turn, seq: 6, ask: second } as const;
  worker.send(settled(turn, 3, ask), untold, ...deltas(turn, 5, "and that? "), asked);
  expect(await (await answering).json()).toMatchObject({
    choices: [{ message: { content: "and that? " }, finish_reason: "stop" }],
    synthesis: { asks: [{ id: ask.id, behavior: "allow", by: "chat" }, {}, { id: second.id }] },
  });
  leave();
  const last = gateway.chat("no", same);
  await eventually(() => expect(asks.heard.at(-1)).toMatchObject({ ask: second.id, words: "no" }));
  await worker.next("follow");
  worker.send(settled(turn, 7, second), ...deltas(turn, 8, "then not"), ended(turn, 9));
  expect(await (await last).json()).toMatchObject({ choices: [{ message: { content: "then not" } }] });
  await events.rest().catch(() => {});
  expect(worker.unread("cancel_turn")).toBe(0);
});

test("any other text waits as ever, and so does a verdict when nothing is asked any more", async () => {
  const { worker } = gateway;
  const { events, submit, ask } = await asking();
  const text = "yes\nbut first delete the old branch";
  const other = await gateway.stream(text, same);
  expect(asks.heard).toMatchObject([{ ask: ask.id, words: text }]);
  worker.send(settled(submit.turn, 3, ask));
  expect(await events.next()).toMatchObject({ synthesis: { ask_settled: { id: ask.id, by: "chat" } } });
  const { lists } = asks;
  const late = await gateway.stream("yes", same);
  expect(asks.lists).toBe(lists);
  worker.send(ended(submit.turn, 4));
  await events.rest();
  for (const [said, { events: theirs }] of [
    [text, other],
    ["yes", late],
  ] as const) {
    const next = await worker.next("submit");
    expect(next.prompt).toBe(said);
    worker.answer(next, "B");
    expect(await theirs.text()).toBe("B");
  }
});

test("a verdict that came too late is told so, and is never said to the agent", async () => {
  const { worker } = gateway;
  const { events, submit, ask } = await asking();
  worker.onRequest = (request, response) => {
    if (request.method === "POST") asks.settle(ask.id, { behavior: "deny", by: "deadline" });
    asks.answer(request, response);
  };
  const late = await gateway.chat("yes", same);
  expect(late.status).toBe(409);
  expect(await late.json()).toMatchObject({
    error: { code: "ask_settled", message: "the ask has its verdict: deny, by deadline" },
  });
  worker.send(settled(submit.turn, 3, ask), ended(submit.turn, 4));
  await events.rest();
  await eventually(() => expect(gateway.turns.size).toBe(0));
  expect(worker.unread("submit")).toBe(0);
});

test("to a question any text is the answer", async () => {
  const { worker } = gateway;
  const { events, submit, ask } = await asking({ kind: "question" });
  const verdict = await gateway.stream("the left one, yes?", same);
  expect(asks.heard).toMatchObject([{ ask: ask.id, words: "the left one, yes?" }]);
  worker.send(settled(submit.turn, 3, ask), ended(submit.turn, 4));
  await Promise.all([verdict.events.rest(), events.rest()]);
});

test("the oldest ask of the session that was told is settled first", async () => {
  const { worker } = gateway;
  const { events, submit, ask } = await asking();
  const { turn, request } = submit;
  const second = asks.add(request.caller, makeAsk({ turn, session: submit.session.id, askedAt: 1_001 }));
  asks.add(request.caller, makeAsk({ turn, session: "another", askedAt: 0 }));
  worker.send({ type: "asked", turn, seq: 3, ask: second });
  await events.next();
  const verdicts = [await gateway.stream("yes", same), await gateway.stream("always", same)];
  expect(asks.heard.map(({ ask: id, words }) => [id, words])).toEqual([
    [ask.id, "yes"],
    [second.id, "always"],
  ]);
  worker.send(settled(turn, 4, ask), settled(turn, 5, second), ended(turn, 6));
  await Promise.all([...verdicts, { events }].map(async (each) => each.events.rest()));
});

test.for([
  ["another session of the caller", "yes", { headers: { "x-openclaw-session-key": "another" } }],
  ["another caller", "yes", { headers: session, key: clawKey }],
  ["a session without a key", "yes", {}],
])("%s settles nothing", async ([, text, options]) => {
  const { worker } = gateway;
  const { events, submit, ask } = await asking();
  const stranger = await gateway.stream(text as string, options as typeof same);
  expect(asks.heard).toEqual([]);
  worker.answer(await worker.next("submit"), "hello");
  expect(await stranger.events.text()).toBe("hello");
  worker.send(settled(submit.turn, 3, ask), ended(submit.turn, 4));
  await events.rest();
});

test.for<NonNullable<GatewayChanges["asks"]>>([{ by: ["api", "cli"] }, { mode: "chat" }])(
  "where %j no message is a verdict here, and the worker is not asked",
  async (own) => {
    await gateway.close();
    await start({ asks: own });
    const { worker } = gateway;
    const { events, submit, ask } = await asking();
    const waiting = await gateway.stream("yes", same);
    expect([asks.lists, asks.heard]).toEqual([0, []]);
    worker.send(settled(submit.turn, 3, ask), ended(submit.turn, 4));
    await events.rest();
    const next = await worker.next("submit");
    expect(next.prompt).toBe("yes");
    worker.answer(next, "B");
    expect(await waiting.events.text()).toBe("B");
  },
);

test.for([
  ["was there before the ask was told", Date.now() + 60_000, 1],
  ["came to an ask that is not told", undefined, 0],
] as const)("a message that %s is no verdict on it", async ([, toldAt, heard]) => {
  const { worker } = gateway;
  const { events, submit, ask } = await asking({ toldAt });
  const early = await gateway.stream("yes", same);
  expect(asks.heard).toHaveLength(heard);
  worker.send(settled(submit.turn, 3, ask), ended(submit.turn, 4));
  await events.rest();
  worker.answer(await worker.next("submit"), "B");
  expect(await early.events.text()).toBe("B");
});

test("a session that is not asking costs its worker no question", async () => {
  const { worker } = gateway;
  const first = await gateway.stream("a", same);
  const submit = await worker.next("submit");
  worker.begin(submit, "one");
  await first.events.delta();
  await first.events.delta();
  const second = await gateway.stream("yes", same);
  expect(asks.lists).toBe(0);
  worker.send(ended(submit.turn, 2));
  worker.answer(await worker.next("submit"), "B");
  expect([await first.events.text(), await second.events.text()]).toEqual(["", "B"]);
});

test("the next gateway takes a verdict on a turn that the one before had begun", async () => {
  const { events, submit, ask } = await asking();
  const { turn } = submit;
  await gateway.restart();
  expect((await events.rest()).at(-1)).toMatchObject({ error: { code: "shutting_down" } });
  const verdict = await gateway.stream("always", same);
  expect(asks.heard).toMatchObject([{ ask: ask.id, words: "always" }]);
  const { worker } = gateway;
  worker.send(settled(turn, 3, ask), ...deltas(turn, 4, "done"), ended(turn, 5));
  expect(await verdict.events.text()).toBe("done");
  expect(worker.unread("submit")).toBe(0);
});

test("a verdict on what a turn asked that has ended by now is a message", async () => {
  const { events, submit } = await asking();
  await gateway.restart();
  await events.rest();
  const { worker } = gateway;
  const end = { state: "completed", finishReason: "stop" } as const;
  worker.find = (frame) => ({ ...worker.said.find(frame)!, state: "completed", seq: 3, end });
  const next = await gateway.stream("yes", same);
  expect(asks.lists).toBe(1);
  expect(asks.heard).toEqual([]);
  const own = await worker.next("submit");
  expect([own.turn === submit.turn, own.prompt]).toEqual([false, "yes"]);
  worker.answer(own, "B");
  expect(await next.events.text()).toBe("B");
});

test("a verdict word that its worker refuses as too late is told so, and is never said to the agent", async () => {
  const { worker } = gateway;
  const asked = gateway.chat("yes", same);
  const { turn } = await worker.next("submit");
  const error = { code: "ask_settled", message: "the ask has its verdict: allow, by chat" } as const;
  worker.send({ type: "refused", turn, error });
  const response = await asked;
  expect([response.status, await response.json()]).toMatchObject([409, { error: { code: "ask_settled" } }]);
  await eventually(() => expect(gateway.turns.size).toBe(0));
  expect(worker.unread("submit")).toBe(0);
});

test("who gave the verdict is a client: when all have left, the turn is cancelled", async () => {
  const { worker } = gateway;
  const { submit, ask, leave } = await asking();
  const leaving = new AbortController();
  const verdict = await gateway.stream("yes", { ...same, signal: leaving.signal });
  worker.send(settled(submit.turn, 3, ask), ...deltas(submit.turn, 4, "done"));
  await verdict.events.delta();
  leave();
  await (await gateway.fetch("/health")).text();
  expect(worker.unread("cancel_turn")).toBe(0);
  leaving.abort();
  expect(await worker.next("cancel_turn")).toMatchObject({ turn: submit.turn, reason: "the client left" });
  worker.send(ended(submit.turn, 5));
  await eventually(() => expect(gateway.turns.size).toBe(0));
});

test("a verdict of a client that had left saves the turn, and its leaving again ends it", async () => {
  await gateway.close();
  await start({ limits: { vanishedMs: 2_000 } });
  const { worker } = gateway;
  const { submit, ask, leave } = await asking();
  leave();
  const { caller, body } = submit.request;
  await eventually(() => expect(gateway.turns.find(caller, { body })?.id).toBe(submit.turn));
  const leaving = new AbortController();
  const verdict = await gateway.stream("yes", { ...same, signal: leaving.signal });
  worker.send(settled(submit.turn, 3, ask), ...deltas(submit.turn, 4, "done"));
  await verdict.events.delta();
  expect(worker.unread("cancel_turn")).toBe(0);
  leaving.abort();
  expect(await worker.next("cancel_turn")).toMatchObject({ turn: submit.turn });
  worker.send(ended(submit.turn, 5));
  await eventually(() => expect(gateway.turns.size).toBe(0));
});

test("an SDK's retry of a verdict is not said to the agent", async () => {
  const { worker } = gateway;
  const { events, submit, ask } = await asking();
  const leaving = new AbortController();
  const messages = [{ role: "user", content: "yes" }];
  const first = gateway.chat({ messages }, { ...same, signal: leaving.signal }).catch(() => {});
  await worker.next("follow");
  leaving.abort();
  await first;
  const headers = { ...session, "x-stainless-retry-count": "1" };
  const again = gateway.chat({ messages }, { headers });
  await worker.next("follow");
  worker.send(settled(submit.turn, 3, ask), ...deltas(submit.turn, 4, "done"), ended(submit.turn, 5));
  expect(await (await again).json()).toMatchObject({ choices: [{ message: { content: "done" } }] });
  expect(await events.text()).toBe("done");
  expect(asks.heard).toHaveLength(1);
  expect(worker.unread("submit")).toBe(0);
});

test("a verdict with an Idempotency-Key is given once: the same request has the same answer, also later", async () => {
  const { worker, turns } = gateway;
  const { events, submit, ask } = await asking();
  const { turn } = submit;
  const keyed = { headers: { ...session, "idempotency-key": "k" } };
  const first = await gateway.stream("yes", keyed);
  const during = await gateway.stream("yes", keyed);
  worker.send(settled(turn, 3, ask), ...deltas(turn, 4, "done"), ended(turn, 5));
  expect([await events.text(), await first.events.text(), await during.events.text()]).toEqual(
    Array.from({ length: 3 }, () => "done"),
  );
  await eventually(() => expect(turns.size).toBe(0));
  const later = await gateway.stream("yes", keyed);
  expect(later.response.headers.get("x-synthesis-turn")).toBe(first.response.headers.get("x-synthesis-turn"));
  expect(await later.events.text()).toBe("done");
  const other = await gateway.chat("no", keyed);
  expect([other.status, await other.json()]).toMatchObject([
    422,
    { error: { code: "idempotency_conflict" } },
  ]);
  expect(asks.heard).toHaveLength(1);
  expect(worker.unread("submit")).toBe(0);
});

test("OpenClaw's stamp is no part of a verdict, nor of what a worker is told that its user said", async () => {
  const { worker } = gateway;
  const stamp = "[Mon 2026-11-23 09:15 UTC] ";
  const claw = { headers: { "x-session-affinity": "chat:1" }, key: clawKey };
  const tools = [{ type: "function", function: { name: "f", parameters: { type: "object" } } }];
  const first = await gateway.stream(`${stamp}go`, { ...claw, body: { tools } });
  const submit = await worker.next("submit");
  expect(submit).toMatchObject({ prompt: `${stamp}go`, said: { words: "go" } });
  expect(monotonicMs() - submit.said!.receivedMs).toBeLessThan(60_000);
  const { turn } = submit;
  const ask = asks.add(callerHash("claw"), makeAsk({ turn, session: submit.session.id }));
  worker.begin(submit, "may I? ");
  worker.send({ type: "asked", turn, seq: 2, ask });
  for (let event = 0; event < 3; event++) await first.events.next();
  const verdict = await gateway.stream(`${stamp}no, ask Bob`, { ...claw, body: { tools } });
  expect(asks.heard).toMatchObject([{ ask: ask.id, words: "no, ask Bob" }]);
  worker.send(settled(turn, 3, ask), ended(turn, 4));
  await Promise.all([verdict.events.rest(), first.events.rest()]);
});

const image = { type: "image_url", image_url: { url: "data:image/png;base64,iVBORw0KGgo=" } };
test.for<[string, string | object[], string | undefined]>([
  ["what its user said", " plain\n", "plain"],
  ["all of it", "yes\nbut first delete the old branch", "yes\nbut first delete the old branch"],
  ["nothing of a text that is too long for a verdict", `yes\n${"x".repeat(20_000)}`, undefined],
  ["nothing where there is more than text", [{ type: "text", text: "yes" }, image], undefined],
])("a worker is told %s", async ([, content, said]) => {
  const { worker } = gateway;
  const asked = gateway.chat({ messages: [{ role: "user", content }] }, same);
  const submit = await worker.next("submit");
  expect(submit.said?.words).toBe(said);
  worker.answer(submit, "A");
  await (await asked).text();
});
