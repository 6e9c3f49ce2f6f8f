import { randomUUID } from "node:crypto";
import { DatabaseSync } from "node:sqlite";
import { eventually, expectClean } from "@synthesis/testkit";
import { expect, test } from "vitest";
import { GatewayPeer, ServedWorkspace } from "../support/served-workspace.ts";
import { hashOf, testCaller, testSubmit } from "../support/test-submit.ts";

expectClean();

const seed = { agent: "seed" } as const;
/** The frames that tell of a turn, without their types' details. */
const typesOf = (peer: GatewayPeer) =>
  peer.frames.map(({ type }) => type).filter((type) => type !== "attached" && type !== "account_held");

test("a turn that another gateway began is followed from any number on, live and to its end", async () => {
  await using served = await ServedWorkspace.start();
  const first = await served.attach();
  const turn = randomUUID();
  first.say(testSubmit(turn, "!slow 30 20"));
  await first.next("delta", 3);
  first.socket.terminate();
  await first.closed;
  await using second = await served.attach({ gateway: 2 });
  second.say({ type: "follow", turn, after: 2 });
  await second.next("ended");
  const numbers = second.numbersOf(turn);
  expect(numbers).toEqual(numbers.map((_, index) => index + 3));
  const words = (peer: GatewayPeer) => peer.frames.filter(({ type }) => type === "delta");
  const text = [...words(first).slice(0, 2), ...words(second)].map((frame) => frame["text"]).join("");
  expect(text).toBe(Array.from({ length: 30 }, (_, index) => `w${index + 1}`).join(" "));
});

test("a turn that has ended is followed too: the same frames once more", async () => {
  await using served = await ServedWorkspace.start();
  await using peer = await served.attach();
  const turn = randomUUID();
  peer.say(testSubmit(turn, "!parts", seed));
  await peer.next("ended");
  await using other = await served.attach();
  other.say({ type: "follow", turn, after: 0 });
  await other.next("ended");
  const of = (gateway: GatewayPeer) => gateway.frames.filter((frame) => frame["turn"] === turn);
  expect(of(other)).toEqual(of(peer));
  other.say({ type: "follow", turn, after: 99 });
  expect(await other.next("ended", 2)).toEqual(await peer.next("ended"));
});

test("a submit of a known turn only follows it, running or over", async () => {
  await using served = await ServedWorkspace.start();
  await using peer = await served.attach();
  const order = testSubmit(randomUUID(), "!parts", seed);
  peer.say(order, order);
  await peer.next("delta");
  peer.say(order);
  await peer.next("ended");
  peer.say(order);
  await peer.next("ended", 2);
  expect(served.space.log.fieldsOf("turn.ended")).toHaveLength(1);
  expect(served.space.workspace.status().sessions).toBe(1);
  const last = peer.frames.slice(peer.frames.findLastIndex(({ type }) => type === "accepted"));
  expect(last.filter(({ type }) => type === "delta").map((frame) => frame["text"]).join("")).toBe(
    "seed: one two three",
  );
});

test("an unknown turn is gone, and so is one whose answer is not kept", async () => {
  await using served = await ServedWorkspace.start();
  await using peer = await served.attach();
  const [unknown, turn] = [randomUUID(), randomUUID()];
  peer.say({ type: "follow", turn: unknown, after: 0 });
  expect(await peer.next("gone")).toEqual({ type: "gone", turn: unknown });
  peer.say(testSubmit(turn, "hi", seed));
  const { end } = await peer.next("ended");
  using database = new DatabaseSync(served.space.configuration.journalFile);
  database.exec("DELETE FROM turn_events");
  peer.say({ type: "follow", turn, after: 0 });
  expect(await peer.next("gone", 2)).toEqual({ type: "gone", turn, end });
});

test("a turn is found by its request until its client has its end", async () => {
  await using served = await ServedWorkspace.start();
  await using peer = await served.attach();
  const key = hashOf("key");
  const order = testSubmit(randomUUID(), "hi", { ...seed, request: { key } });
  const { turn, request } = order;
  peer.say(order);
  const { seq, end } = await peer.next("ended");
  const find = (number: number, by: { key: string } | { body: string } | { prompt: string }) =>
    peer.say({ type: "find_turn", request: number, caller: testCaller, by });
  find(1, { key });
  find(2, { body: request.body });
  peer.say({ type: "taken", turn });
  find(3, { body: request.body });
  find(4, { prompt: request.prompt });
  find(5, { key });
  await peer.next("found_turn", 5);
  const found = peer.frames.filter(({ type }) => type === "found_turn");
  expect(found.map((frame) => [frame["request"], frame["turn"] !== undefined])).toEqual([
    [1, true],
    [2, true],
    [3, false],
    [4, false],
    [5, true],
  ]);
  expect(found[0]?.["turn"]).toEqual({
    turn,
    session: "s",
    agent: "seed",
    state: "completed",
    body: request.body,
    seq,
    acceptedAt: expect.any(Number),
    endedAt: expect.any(Number),
    end,
  });
});

test("without a key a turn is found only once no gateway follows it", async () => {
  await using served = await ServedWorkspace.start();
  const first = await served.attach();
  await using second = await served.attach();
  const { turn, request, ...order } = testSubmit(randomUUID(), "!hold", { ...seed, request: { key: hashOf("k") } });
  first.say({ ...order, turn, request });
  await first.next("accepted");
  const find = async (by: { key: string } | { body: string }) => {
    const number = second.frames.length;
    second.say({ type: "find_turn", request: number, caller: testCaller, by });
    return eventually(() => {
      const answer = second.frames.find((frame) => frame.type === "found_turn" && frame["request"] === number);
      expect(answer).toBeDefined();
      return answer?.["turn"] !== undefined;
    });
  };
  expect(await find({ key: hashOf("k") })).toBe(true);
  expect(await find({ body: request.body })).toBe(false);
  first.socket.terminate();
  await first.closed;
  await eventually(async () => expect(await find({ body: request.body })).toBe(true));
  second.say({ type: "cancel_turn", turn, reason: "the test is over" });
  await eventually(() => expect(served.space.workspace.status().turns).toBe(0));
});

test("the link of a fenced gateway ends, and nothing unread of it is acted on", async () => {
  await using served = await ServedWorkspace.start();
  await using dead = await served.attach({ gateway: 1 });
  await using other = await served.attach({ gateway: 3 });
  await using next = new GatewayPeer(`ws+unix://${served.space.configuration.socketPath}:/`);
  await next.opened;
  // Both are there when the worker reads again; what came first it reads first.
  next.say({ type: "attach", protocol: 1, gateway: 2, fence: 2 });
  dead.say(testSubmit(randomUUID(), "hi", seed));
  expect(await dead.closed).toMatchObject({ code: 1006 });
  other.say({ type: "locate", request: 1, by: { session: "s" } });
  await other.next("located");
  next.say({ type: "locate", request: 1, by: { session: "s" } });
  expect(await next.next("located")).toEqual({ type: "located", request: 1 });
  expect(served.space.workspace.status()).toMatchObject({ sessions: 0, turns: 0 });
});

test("a dead gateway's attach that is read late is not answered, and what follows it has no effect", async () => {
  await using served = await ServedWorkspace.start();
  await using _alive = await served.attach({ gateway: 5, fence: 5 });
  await using late = new GatewayPeer(`ws+unix://${served.space.configuration.socketPath}:/`);
  await late.opened;
  late.say(
    { type: "attach", protocol: 1, gateway: 4, fence: 0 },
    testSubmit(randomUUID(), "hi", seed),
    { type: "attach", protocol: 1, gateway: 5, fence: 0 },
    testSubmit(randomUUID(), "hi", seed),
  );
  expect(await late.closed).toMatchObject({ code: 1006 });
  expect(typesOf(late)).toEqual([]);
  expect(served.space.workspace.status()).toMatchObject({ sessions: 0, turns: 0 });
});

test("a fence is never lowered", async () => {
  await using served = await ServedWorkspace.start();
  await using _alive = await served.attach({ gateway: 5, fence: 5 });
  await using _other = await served.attach({ gateway: 6, fence: 0 });
  await expect(served.attach({ gateway: 4, fence: 0 })).rejects.toThrow("closed without attached");
});

test("each gateway is told when the account is held, and a new one at once", async () => {
  await using served = await ServedWorkspace.start();
  await using first = await served.attach();
  const until = Date.now() + 60_000;
  served.server.accountHeld(until);
  expect(await first.next("account_held", 2)).toEqual({ type: "account_held", until });
  served.server.accountHeld(undefined);
  expect(await first.next("account_held", 3)).toEqual({ type: "account_held" });
  served.space.workspace.account.hold(until);
  await using second = await served.attach();
  expect(await second.next("account_held")).toEqual({ type: "account_held", until });
});

test("a journal that cannot be read ends the link, not the worker", async () => {
  await using served = await ServedWorkspace.start();
  await using peer = await served.attach();
  using database = new DatabaseSync(served.space.configuration.journalFile);
  database.exec("ALTER TABLE turns RENAME TO hidden");
  peer.say(testSubmit(randomUUID(), "hi", seed));
  expect(await peer.closed).toMatchObject({ code: 1006 });
  expect(served.space.log.fieldsOf("gateway_link.failed")).toMatchObject([{ frame: "submit" }]);
  database.exec("ALTER TABLE hidden RENAME TO turns");
  await using again = await served.attach();
  again.say(testSubmit(randomUUID(), "hi", seed));
  expect(await again.next("ended")).toMatchObject({ end: { state: "completed" } });
});

test("what comes once the workspace has closed is left to the next worker: the link ends unanswered", async () => {
  await using served = await ServedWorkspace.start();
  await using peer = await served.attach();
  const turn = randomUUID();
  peer.say(testSubmit(turn, "!slow 1000 20"));
  await peer.next("delta");
  await served.space.close();
  peer.say(
    testSubmit(randomUUID(), "hi", seed),
    { type: "locate", request: 1, by: { session: "s" } },
    { type: "find_turn", request: 2, caller: testCaller, by: { turn } },
    { type: "follow", turn, after: 0 },
    { type: "taken", turn },
    { type: "cancel_turn", turn, reason: "late" },
  );
  await peer.next("ended");
  await served.server.close();
  expect(await peer.closed).toMatchObject({ code: 1001 });
  expect(typesOf(peer).filter((type) => type !== "delta")).toEqual(["accepted", "ended"]);
  expect(served.space.log.fieldsOf("gateway_link.failed")).toEqual([]);
});
