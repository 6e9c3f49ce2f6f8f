import { randomUUID } from "node:crypto";
import { DatabaseSync } from "node:sqlite";
import { eventually, expectClean } from "@synthesis/testkit";
import { expect, test } from "vitest";
import { ServedWorkspace, type GatewayPeer } from "../support/served-workspace.ts";
import { hashOf, testCaller, testSubmit } from "../support/test-submit.ts";

expectClean();

const seed = { agent: "seed" } as const;

test("a turn that another gateway began is followed from any number on, live and to its end (W-8)", async () => {
  await using served = await ServedWorkspace.start();
  const first = await served.attach();
  const turn = randomUUID();
  first.say(testSubmit(turn, "!slow 30 20"));
  await first.next("delta", 3);
  first.say({ type: "find_turn", request: 1, caller: testCaller, by: { turn } });
  const { turn: found } = await first.next("found_turn");
  expect(found).toMatchObject({ state: "started" });
  expect((found as { seq: number }).seq).toBeGreaterThanOrEqual(3); // not only once it is over
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

test("a submit of a known turn only follows it, running or over (W-9)", async () => {
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
  expect(
    last
      .filter(({ type }) => type === "delta")
      .map((frame) => frame["text"])
      .join(""),
  ).toBe("seed: one two three");
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
    prompt: request.prompt,
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
  const { turn, request, ...order } = testSubmit(randomUUID(), "!hold", {
    ...seed,
    request: { key: hashOf("k") },
  });
  first.say({ ...order, turn, request });
  await first.next("accepted");
  const find = async (by: { key: string } | { body: string }) => {
    const number = second.frames.length;
    second.say({ type: "find_turn", request: number, caller: testCaller, by });
    return eventually(() => {
      const answer = second.frames.find(
        (frame) => frame.type === "found_turn" && frame["request"] === number,
      );
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
