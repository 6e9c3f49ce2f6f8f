import { setTimeout } from "node:timers/promises";
import { eventually, expectClean } from "@synthesis/testkit";
import { expect, test } from "vitest";
import { Peer } from "../support/peer.ts";
import { TestBridge } from "../support/test-bridge.ts";

expectClean();

const reply = { type: "reply", content: "x" };

test.for([
  { title: "a reply", first: reply, reason: "expected hello" },
  { title: "a ping", first: { type: "ping" }, reason: "expected hello" },
  {
    title: "an unknown type",
    first: { type: "hello_again" },
    reason: "expected hello: type: Invalid discriminator value",
  },
  { title: "no JSON", first: "hello", reason: "expected hello: the message is not JSON" },
  {
    title: "a hello without its session",
    first: { type: "hello", pid: 1 },
    reason: "expected hello: openclaw_session: Invalid input: expected string, received undefined",
  },
  {
    title: "a binary message",
    first: Buffer.from('{"type":"hello"}'),
    reason: "expected hello: a binary message",
  },
])(
  "P-1 waiting_for_hello -> closed: $title first is closed with 4001, and told why",
  async ({ first, reason }) => {
    await using bridge = await TestBridge.start();
    const seat = bridge.seat();
    await using peer = new Peer(seat.url);
    await peer.opened;
    peer.send(first);
    const closed = await peer.closed;
    expect({ ...closed, reason: closed.reason.split(". ")[0] }).toEqual({ code: 4001, reason });
    expect(seat.heard).toEqual([]);
  },
);

test("P-1 waiting_for_hello -> closed: no hello within helloMs is closed with 4001", async () => {
  await using bridge = await TestBridge.start({ helloMs: 50 });
  await using peer = new Peer(bridge.seat().url);
  expect(await peer.closed).toEqual({ code: 4001, reason: "expected hello" });
});

test("waiting_for_hello -> seated: the seed's hello is answered by the seed's hello_ack", async () => {
  await using bridge = await TestBridge.start();
  const seat = bridge.seat();
  await using peer = await bridge.greet(seat);
  expect(peer.frames).toEqual([{ type: "hello_ack" }]);
  expect(seat.heard).toEqual([seat.hello()]);
  expect(seat.seat.isOccupied).toBe(true);
});

test("P-3 waiting_for_hello -> seated: a peer that names its protocol is told ours and the interval", async () => {
  await using bridge = await TestBridge.start({ pingMs: 12_345, frameBytes: 2048, framesPerSecond: 70 });
  const seat = bridge.seat();
  const capabilities = ["seq", "of_tomorrow", "cancel", "cancel"];
  await using peer = await bridge.greet(seat, { protocol: 1, capabilities });
  expect(peer.frames).toEqual([
    {
      type: "hello_ack",
      protocol: 1,
      ping_interval_ms: 12_345,
      capabilities: ["cancel", "seq"],
      epoch: 1,
      limits: { frame_bytes: 2048, frames_per_second: 70 },
    },
  ]);
});

test("P-14 each connection of a seat has the next epoch", async () => {
  await using bridge = await TestBridge.start();
  const [seat, other] = [bridge.seat(), bridge.seat("agent::other")];
  const epochs: unknown[] = [];
  for (const each of [seat, seat, other, seat]) {
    await using peer = await bridge.greet(each, { protocol: 1 });
    epochs.push(peer.frames[0]?.["epoch"]);
  }
  expect(epochs).toEqual([1, 2, 1, 3]);
});

test("P-7 waiting_for_hello -> seated: a peer that resumes a turn is told how much of it arrived", async () => {
  await using bridge = await TestBridge.start();
  const seat = bridge.seat();
  await using unknown = await bridge.greet(seat, { protocol: 1, resumes: "turn" });
  expect(unknown.frames).toMatchObject([{ type: "hello_ack", received: 0 }]);
  await using seed = await bridge.greet(seat, { resumes: "turn" });
  expect(seed.frames).toEqual([{ type: "hello_ack" }]);
});

test("P-3 waiting_for_hello -> closed: another protocol is closed with 4005", async () => {
  await using bridge = await TestBridge.start();
  const seat = bridge.seat();
  await using peer = new Peer(seat.url);
  await peer.opened;
  peer.send(seat.hello({ protocol: 2 }));
  expect(await peer.closed).toMatchObject({ code: 4005 });
  expect(seat.heard).toEqual([]);
});

test("P-2 waiting_for_hello -> closed: a hello for another session is closed with 4003", async () => {
  await using bridge = await TestBridge.start();
  const [seat, victim] = [bridge.seat("agent::mine"), bridge.seat("agent::yours")];
  await using seated = await bridge.greet(victim);
  await using peer = new Peer(seat.url);
  await peer.opened;
  peer.send(victim.hello());
  expect(await peer.closed).toMatchObject({ code: 4003 });
  seated.send(reply);
  seated.send({ type: "ping" });
  await seated.next("pong");
  expect(victim.heard).toEqual([victim.hello(), reply]);
});

test("P-4 seated -> closed: a second connection's hello closes the older socket with 4002", async () => {
  await using bridge = await TestBridge.start();
  const seat = bridge.seat();
  await using older = await bridge.greet(seat);
  await using newer = await bridge.greet(seat, { resumes: "turn" });
  expect(await older.closed).toEqual({ code: 4002, reason: "replaced by reconnect" });
  newer.send(reply);
  newer.send({ type: "ping" });
  await newer.next("pong");
  expect(seat.heard).toEqual([seat.hello(), seat.hello({ resumes: "turn" }), reply]);
});

test("P-4 a second connection replaces nobody before its hello", async () => {
  await using bridge = await TestBridge.start();
  const seat = bridge.seat();
  await using older = await bridge.greet(seat);
  await using newer = new Peer(seat.url);
  await newer.opened;
  newer.send("nonsense");
  await newer.closed;
  older.send({ type: "ping" });
  expect(await older.next("pong")).toEqual({ type: "pong" });
});

test("a second hello on a seated connection changes nothing", async () => {
  await using bridge = await TestBridge.start();
  const seat = bridge.seat();
  await using peer = await bridge.greet(seat);
  peer.send(seat.hello());
  peer.send({ type: "ping" });
  await peer.next("pong");
  expect(peer.frames.map(({ type }) => type)).toEqual(["hello_ack", "pong"]);
});

test("seated -> closed: the seat is vacant when its connection is lost, and free for the next", async () => {
  await using bridge = await TestBridge.start();
  const seat = bridge.seat();
  await using peer = await bridge.greet(seat);
  peer.socket.terminate();
  await using next = await bridge.greet(seat);
  expect(seat.heard).toEqual([seat.hello(), "vacant", seat.hello()]);
  expect(next.frames).toHaveLength(1);
});

test("P-8 both sides may ping; a connection that answers stays", async () => {
  await using bridge = await TestBridge.start({ pingMs: 150 });
  const seat = bridge.seat();
  await using peer = await bridge.greet(seat);
  for (let count = 1; count <= 3; count++) {
    await peer.next("ping", count);
    peer.send({ type: "pong" });
  }
  peer.send({ type: "ping" });
  expect(await peer.next("pong")).toEqual({ type: "pong" });
  expect(seat.heard).toEqual([seat.hello()]);
});

test("P-8 seated -> closed: a connection that misses a pong is terminated", async () => {
  await using bridge = await TestBridge.start({ pingMs: 20 });
  const seat = bridge.seat();
  await using peer = await bridge.greet(seat);
  expect(await peer.closed).toMatchObject({ code: 1006 });
  expect(peer.frames.filter(({ type }) => type === "ping")).toHaveLength(1);
  await eventually(() => expect(seat.heard).toEqual([seat.hello(), "vacant"]));
});

test.for([
  { title: "no JSON", frame: "{" },
  { title: "a reply without content", frame: { type: "reply" } },
  { title: "a frame without a type", frame: { content: "x" } },
  { title: "a number", frame: "7" },
  { title: "null", frame: "null" },
  { title: "one broken frame among good ones", frame: [{ type: "ping" }, { type: "reply", content: 7 }] },
  { title: "a binary message", frame: Buffer.from([0, 255, 1]) },
])("P-9 seated -> closed: $title is closed with 4004", async ({ frame }) => {
  await using bridge = await TestBridge.start();
  const seat = bridge.seat();
  await using peer = await bridge.greet(seat);
  peer.send(frame);
  expect(await peer.closed).toMatchObject({ code: 4004 });
  await eventually(() => expect(seat.heard).toEqual([seat.hello(), "vacant"]));
});

test("P-9 frames of unknown types and unknown fields are ignored", async () => {
  await using bridge = await TestBridge.start();
  const seat = bridge.seat();
  await using peer = await bridge.greet(seat);
  peer.send({ type: "of_tomorrow", content: 7 });
  peer.send([{ type: "of_tomorrow" }, { ...reply, of_tomorrow: true }]);
  peer.send([]);
  peer.send({ type: "ping" });
  await peer.next("pong");
  expect(seat.heard).toEqual([seat.hello(), { ...reply, of_tomorrow: true }]);
});

test("P-11 seated -> closed: a message beyond the bound is closed with 1009, one at the bound is heard", async () => {
  await using bridge = await TestBridge.start({ frameBytes: 2048 });
  const seat = bridge.seat();
  await using peer = await bridge.greet(seat);
  const atBound = JSON.stringify({ type: "reply", content: "" });
  const content = "x".repeat(2048 - atBound.length);
  peer.send({ type: "reply", content });
  peer.send({ type: "reply", content: `${content}x` });
  expect(await peer.closed).toMatchObject({ code: 1009 });
  await eventually(() => expect(seat.heard).toEqual([seat.hello(), { type: "reply", content }, "vacant"]));
});

test.for([
  { title: "frames", flood: Array.from({ length: 21 }, () => reply) },
  { title: "frames in one message", flood: [Array.from({ length: 21 }, () => reply)] },
  { title: "empty messages", flood: Array.from({ length: 21 }, () => []) },
  { title: "frames of unknown types", flood: Array.from({ length: 21 }, () => ({ type: "of_tomorrow" })) },
])("P-19 seated -> closed: more $title than its budget are closed with 4008", async ({ flood }) => {
  await using bridge = await TestBridge.start({ framesPerSecond: 20 });
  const seat = bridge.seat();
  await using peer = await bridge.greet(seat);
  for (const message of flood) peer.send(message);
  expect(await peer.closed).toEqual({ code: 4008, reason: "too many frames" });
  await eventually(() => expect(seat.heard.at(-1)).toBe("vacant"));
});

test("P-19 the pings of WebSocket itself count too", async () => {
  await using bridge = await TestBridge.start({ framesPerSecond: 20 });
  await using peer = await bridge.greet(bridge.seat());
  for (let count = 0; count < 21; count++) peer.socket.ping();
  expect(await peer.closed).toMatchObject({ code: 4008 });
});

test("P-19 a budget fills again as time passes", async () => {
  await using bridge = await TestBridge.start({ framesPerSecond: 20 });
  const seat = bridge.seat();
  await using peer = await bridge.greet(seat);
  for (let count = 1; count <= 50; count++) {
    peer.send({ type: "ping" });
    await peer.next("pong", count);
    await setTimeout(60);
  }
  expect(bridge.connections).toBe(1);
});
