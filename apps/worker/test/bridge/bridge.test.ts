import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { eventually, expectClean } from "@synthesis/testkit";
import { expect, test } from "vitest";
import { Bridge } from "../../src/bridge/bridge.ts";
import { LogRecorder } from "../support/log-recorder.ts";
import { Peer } from "../support/peer.ts";
import { TestBridge } from "../support/test-bridge.ts";
import { testLimits } from "../support/test-limits.ts";

expectClean();

test("P-2 each seat has a token of its own, of 256 bits", async () => {
  await using bridge = await TestBridge.start();
  const tokens = [1, 2, 3].map(() => new URL(bridge.seat().url).searchParams.get("token"));
  expect(new Set(tokens).size).toBe(3);
  for (const token of tokens) expect(Buffer.from(token ?? "", "base64url")).toHaveLength(32);
});

test("P-10 the right token on the right path is let in", async () => {
  await using bridge = await TestBridge.start();
  await using peer = new Peer(bridge.seat().url);
  expect(await peer.opened).toBeUndefined();
  expect(bridge.connections).toBe(1);
});

test.for([
  { status: 401, title: "no token", change: (url: URL) => url.searchParams.delete("token") },
  { status: 401, title: "an empty token", change: (url: URL) => url.searchParams.set("token", "") },
  {
    status: 401,
    title: "a made-up token",
    change: (url: URL) => url.searchParams.set("token", "x".repeat(43)),
  },
  { status: 404, title: "another path", change: (url: URL) => (url.pathname = "/") },
  { status: 404, title: "a longer path", change: (url: URL) => (url.pathname = "/bridge/x") },
])("P-10 $title is refused with $status before there is a WebSocket", async ({ status, change }) => {
  await using bridge = await TestBridge.start();
  const url = new URL(bridge.seat().url);
  change(url);
  await using peer = new Peer(url.href);
  expect(await peer.opened).toBe(status);
  expect(bridge.connections).toBe(0);
});

test.for([
  { status: 403, title: "a web page's Origin", options: { origin: "https://evil.example" } },
  { status: 403, title: "the bridge's own Origin", options: { origin: "http://127.0.0.1" } },
  { status: 421, title: "another Host", options: { headers: { host: "evil.example" } } },
  { status: 421, title: "localhost as Host", options: { headers: { host: "localhost" } } },
])("P-10 $title is refused with $status although the token is right", async ({ status, options }) => {
  await using bridge = await TestBridge.start();
  await using peer = new Peer(bridge.seat().url, options);
  expect(await peer.opened).toBe(status);
});

test("P-10 the token of a process that is gone is void", async () => {
  await using bridge = await TestBridge.start();
  const seat = bridge.seat();
  await using seated = new Peer(seat.url);
  await seated.opened;
  seated.send(seat.hello());
  await seated.next("hello_ack");
  bridge.bridge.vacate(seat.seat);
  expect(await seated.closed).toMatchObject({ code: 1001 });
  await using late = new Peer(seat.url);
  expect(await late.opened).toBe(401);
});

test("a plain HTTP request is answered 404", async () => {
  await using bridge = await TestBridge.start();
  const url = new URL(bridge.seat().url.replace("ws:", "http:"));
  expect((await fetch(url)).status).toBe(404);
  expect((await fetch(url, { method: "POST", body: "x" })).status).toBe(404);
});

test("the owner is told of each connection that comes or goes, and of none once it is closing", async () => {
  const told: number[] = [];
  const bridge: Bridge = new Bridge(testLimits(), new LogRecorder(), () => told.push(bridge.connections));
  await bridge.start();
  const { url } = bridge.seat("s", {
    onHello: () => {},
    onVacant: () => {},
    onFrame: () => {},
    promptedTurn: () => undefined,
    framesTaken: () => 0,
  });
  await using peer = new Peer(url);
  await peer.opened;
  peer.socket.close();
  await eventually(() => expect(told).toEqual([1, 0]));
  await using last = new Peer(url);
  await last.opened;
  await bridge.close();
  await last.closed;
  expect(told).toEqual([1, 0, 1]);
});

test("closing ends every connection, greeted or not", async () => {
  await using bridge = await TestBridge.start();
  const seat = bridge.seat();
  await using greeted = new Peer(seat.url);
  await using silent = new Peer(bridge.seat().url);
  await Promise.all([greeted.opened, silent.opened]);
  greeted.send(seat.hello());
  await greeted.next("hello_ack");
  await bridge.close();
  await Promise.all([greeted.closed, silent.closed]);
  expect(bridge.connections).toBe(0);
});

test("a refused peer that keeps its side open does not hold up the close", async () => {
  const bridge = new Bridge(testLimits(), new LogRecorder());
  await bridge.start();
  const { url } = bridge.seat("s", {
    onHello: () => {},
    onVacant: () => {},
    onFrame: () => {},
    promptedTurn: () => undefined,
    framesTaken: () => 0,
  });
  const { host, port } = new URL(url);
  const socket = connect({ port: Number(port), host: "127.0.0.1", allowHalfOpen: true });
  socket.on("error", () => {});
  const lines = ["GET /nowhere HTTP/1.1", `Host: ${host}`, "Connection: Upgrade", "Upgrade: websocket"];
  socket.write(`${lines.join("\r\n")}\r\n\r\n`);
  const [answer] = await once(socket, "data");
  expect(String(answer)).toContain("404");
  await bridge.close();
  socket.destroy();
});

test("P-10 sockets that never ask for anything are bounded in number and in time, and shut out nobody", async () => {
  await using bridge = await TestBridge.start({ helloMs: 2_000 });
  const seat = bridge.seat();
  await using seated = await bridge.greet(seat);
  const port = Number(new URL(seat.url).port);
  const strangers: Socket[] = [];
  while (strangers.length < 400) {
    const some = Array.from({ length: 100 }, () => connect(port, "127.0.0.1"));
    for (const stranger of some) stranger.on("error", () => {}).resume(); // reset by the bound
    await Promise.all(some.map((stranger) => once(stranger, "connect"))); // the kernel's queue has a bound of its own
    strangers.push(...some);
  }
  await eventually(() => expect(strangers.filter(({ closed }) => closed).length).toBeGreaterThanOrEqual(144));
  expect(strangers.at(-1)!.closed).toBe(false);
  await using late = await bridge.greet(bridge.seat("agent::late"));
  for (const peer of [seated, late]) {
    peer.send({ type: "ping" });
    await peer.next("pong");
  }
  await eventually(() => expect(strangers.every(({ closed }) => closed)).toBe(true));
});

test("P-10 of one token's connections without hello the oldest give way, and its seat is still to be had", async () => {
  await using bridge = await TestBridge.start();
  const [seat, other] = [bridge.seat(), bridge.seat("agent::other")];
  await using stack = new AsyncDisposableStack();
  const silent: Peer[] = [];
  for (let count = 0; count < 6; count++) {
    silent.push(stack.use(new Peer(seat.url)));
    await silent.at(-1)!.opened;
  }
  expect(await Promise.all(silent.slice(0, 2).map(async ({ closed }) => closed))).toEqual(
    Array.from({ length: 2 }, () => ({ code: 4001, reason: "too many connections without hello" })),
  );
  await eventually(() => expect(bridge.connections).toBe(4));
  stack.use(await bridge.greet(other));
  silent[5]!.send(seat.hello());
  await silent[5]!.next("hello_ack");
});

test("a connection that has not said hello when its agent process ends is closed with it", async () => {
  await using bridge = await TestBridge.start();
  const seat = bridge.seat();
  await using silent = new Peer(seat.url);
  await silent.opened;
  bridge.bridge.vacate(seat.seat);
  expect(await silent.closed).toMatchObject({ code: 1001 });
  expect(seat.heard).toEqual([]);
});

test("a connection that was closed and does not answer that is not kept", async () => {
  await using bridge = await TestBridge.start();
  const seat = bridge.seat();
  await using first = await bridge.greet(seat);
  first.socket.pause();
  await using second = await bridge.greet(seat);
  await eventually(() => expect(bridge.connections).toBe(1));
  second.send({ type: "ping" });
  await second.next("pong");
});
