import { afterEach, expect, test } from "vitest";
import { eventually, expectClean } from "@synthesis/testkit";
import { completed, deltas, ended } from "../support/fake-worker.ts";
import { RunningGateway, type GatewayChanges } from "../support/running-gateway.ts";

expectClean();

let gateway: RunningGateway;
afterEach(async () => gateway.close());
const start = async (changes: GatewayChanges = {}) => (gateway = await RunningGateway.start(changes));

const keyed = { headers: { "idempotency-key": "k" } };

/** A turn with two clients, of which the second one came when there were two events; both have them. */
async function twoClients() {
  const { worker } = await start();
  const one = await gateway.stream("a", keyed);
  const { turn } = await worker.next("submit");
  worker.begin({ turn }, "1", "2");
  await one.events.next();
  for (const content of ["1", "2"]) expect(await one.events.delta()).toEqual({ content });
  const two = await gateway.stream("a", keyed);
  await worker.next("follow");
  return { worker, turn, one: one.events, two: two.events };
}

test("a link that is lost before `accepted` came: the same turn is submitted again", async () => {
  const { worker } = await start();
  const asked = gateway.chat("a");
  const first = await worker.next("submit");
  worker.drop();
  expect(await worker.next("submit")).toEqual(first);
  worker.answer(first, "A");
  expect(await (await asked).json()).toMatchObject({ choices: [{ message: { content: "A" } }] });
  expect(worker.unread("submit") + worker.unread("follow")).toBe(0);
});

test("a link that is lost with `accepted` on its way: submitted again, the turn is told from its start, once", async () => {
  const { worker } = await start();
  const { events } = await gateway.stream("a");
  const submit = await worker.next("submit");
  worker.drop();
  worker.begin(submit, "1", "2"); // nobody hears it
  await worker.next("submit");
  worker.send(...deltas(submit.turn, 3, "3"), ended(submit.turn, 4));
  expect(await events.text()).toBe("123");
});

test("a link that is lost before `accepted`, of a turn that is cancelled meanwhile: it is submitted, and cancelled", async () => {
  const { worker, supervisor } = await start({ limits: { vanishedMs: 10 } });
  const leaving = new AbortController();
  await gateway.stream("a", { signal: leaving.signal });
  const submit = await worker.next("submit");
  const right = await supervisor.ensure("demo");
  const { promise: restarted, resolve: restart } = Promise.withResolvers<typeof right>();
  supervisor.ensure = () => restarted;
  worker.drop();
  leaving.abort();
  await eventually(() => expect(supervisor.asked).toHaveLength(2));
  await eventually(() =>
    expect(gateway.turns.find(submit.request.caller, { turn: submit.turn })?.isVanished).toBe(false),
  );
  restart(right);
  expect(await worker.next("cancel_turn")).toMatchObject({ turn: submit.turn });
  const error = { code: "turn_cancelled", message: "cancelled" } as const;
  worker.send(ended(submit.turn, 1, { state: "cancelled", error }));
  await eventually(() => expect(gateway.turns.size).toBe(0));
});

test("a link that is lost in the middle: followed after the lowest number, each client gets each event once", async () => {
  const { worker, turn, one, two } = await twoClients();
  expect(await two.next()).toBeDefined();
  for (const content of ["1", "2"]) expect(await two.delta()).toEqual({ content });
  worker.send(...deltas(turn, 3, "3"));
  for (const events of [one, two]) expect(await events.delta()).toEqual({ content: "3" });
  worker.drop();
  expect(await worker.next("follow")).toMatchObject({ turn, after: 3 });
  worker.send(...deltas(turn, 4, "4"), ended(turn, 5));
  expect([await one.text(), await two.text()]).toEqual(["4", "4"]);
  expect(one.lastId).toBe(`${turn}:5`);
  expect(worker.unread("submit")).toBe(0);
});

test("clients that are at different events when the link is lost: each gets what it lacks, in order", async () => {
  const { worker } = await start();
  const one = await gateway.stream("a", keyed);
  const { turn } = await worker.next("submit");
  worker.begin({ turn }, "1", "2");
  await one.events.next();
  for (const content of ["1", "2"]) expect(await one.events.delta()).toEqual({ content });
  const replay = worker.replay;
  worker.replay = () => [{ type: "accepted", turn }, ...deltas(turn, 1, "1")]; // and no more before the link is lost
  const two = await gateway.stream("a", keyed);
  await two.events.next();
  expect(await two.events.delta()).toEqual({ content: "1" });
  await worker.next("follow");
  worker.replay = replay;
  worker.drop();
  expect(await worker.next("follow")).toMatchObject({ turn, after: 1 });
  worker.send(...deltas(turn, 3, "3"), ended(turn, 4));
  expect(await two.events.text()).toBe("23");
  expect(await one.events.text()).toBe("3");
});

test("an event that is missing is no clean end", async () => {
  const { worker } = await start();
  const streamed = await gateway.stream("a");
  const { turn } = await worker.next("submit");
  worker.replay = () => [];
  worker.send({ type: "accepted", turn }, ...deltas(turn, 1, "1"), ...deltas(turn, 3, "3"), ended(turn, 4));
  expect(await worker.next("follow")).toMatchObject({ turn, after: 1 });
  worker.send({ type: "accepted", turn }, ...deltas(turn, 3, "3"), ended(turn, 4));
  const all = await streamed.events.rest();
  expect(all.at(-1)).toMatchObject({ error: { code: "turn_gone" } });
  expect(JSON.stringify(all)).not.toContain('"3"');
});

test("of a turn whose beginning is gone, who has it gets the rest, and who lacks it is told", async () => {
  const { worker, turn, one } = await twoClients();
  worker.replay = () => [];
  const late = gateway.chat({ messages: [{ role: "user", content: "a" }], stream: true }, keyed);
  expect(await worker.next("follow")).toMatchObject({ after: 0 });
  worker.send({ type: "gone", turn });
  expect(await worker.next("follow")).toMatchObject({ turn, after: 2 });
  const response = await late;
  expect([response.status, await response.json()]).toMatchObject([410, { error: { code: "turn_gone" } }]);
  worker.send({ type: "accepted", turn }, ...deltas(turn, 3, "3"), ended(turn, 4));
  expect(await one.text()).toBe("3");
});

test("of a turn that is over and whose beginning is gone, who has it gets its end", async () => {
  const { worker, turn, one } = await twoClients();
  worker.replay = () => [];
  const late = gateway.chat({ messages: [{ role: "user", content: "a" }], stream: true }, keyed);
  await worker.next("follow");
  worker.send({ type: "gone", turn, end: completed });
  expect(await worker.next("follow")).toMatchObject({ turn, after: 2 });
  const response = await late;
  expect(response.status).toBe(410);
  await response.text();
  worker.send({ type: "accepted", turn }, ended(turn, 3));
  expect(await one.text()).toBe("");
});

test("a turn that the worker does not know any more is interrupted, and frees its session", async () => {
  const { worker } = await start();
  const { events } = await gateway.stream("a");
  const { turn } = await worker.next("submit");
  worker.begin({ turn }, "1");
  expect(await events.next()).toBeDefined();
  expect(await events.delta()).toEqual({ content: "1" });
  worker.replay = () => [{ type: "gone", turn }];
  worker.drop();
  expect(await events.rest()).toEqual([
    { error: expect.objectContaining({ code: "turn_interrupted" }) as object },
  ]);
  await eventually(() => expect(gateway.queues.counts.sessions).toBe(0));
});
