import { once } from "node:events";
import { expect, test } from "vitest";
import {
  type InboundTurn,
  MissingVariableError,
  PluginClient,
  type PluginClientOptions,
  pluginClientFromEnvironment,
} from "../src/plugin-client.ts";
import { TestBridge } from "./test-bridge.ts";

const file = { name: "a.txt", media_type: "text/plain", data: "YQ==" };

type Handler = PluginClientOptions["onInbound"];

/** A connected client and its bridge; turns are answered by `onInbound`, or else by hand. */
async function connected(onInbound?: Handler, options: Partial<PluginClientOptions> = {}) {
  const stack = new AsyncDisposableStack();
  const bridge = stack.use(await TestBridge.listen());
  const turns: InboundTurn[] = [];
  let wake: (() => void) | undefined;
  const client = stack.use(
    new PluginClient({
      url: bridge.url,
      sessionKey: "main",
      onInbound:
        onInbound ??
        ((turn) => {
          turns.push(turn);
          wake?.();
        }),
      ...options,
    }),
  );
  const started = client.start();
  const { peer, hello } = await bridge.greeted();
  await started;
  const nextTurn = async () => {
    while (turns.length === 0) await new Promise<void>((resolve) => (wake = resolve));
    return turns.shift()!;
  };
  return { bridge, client, peer, hello, nextTurn, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

test("says hello with its protocol and capabilities, and has started at hello_ack", async () => {
  await using bridge = await TestBridge.listen();
  await using client = new PluginClient({
    url: bridge.url,
    sessionKey: "agent::chat",
    onInbound: () => undefined,
  });
  let started = false;
  const start = client.start().then(() => (started = true));
  const peer = await bridge.connection();
  expect(await peer.next()).toEqual({
    type: "hello",
    pid: process.pid,
    openclaw_session: "agent::chat",
    protocol: 1,
    capabilities: ["cancel", "seq"],
  });
  expect(started).toBe(false);
  peer.send({ type: "hello_ack" });
  await start;
});

test("streams an answer, and drops what is written after its end", async () => {
  await using world = await connected((turn) => {
    turn.progress();
    turn.progress("reading");
    turn.reply(`${turn.content} `);
    turn.end("world");
    turn.reply("late");
    turn.progress("late");
    turn.fail("late");
    turn.end("late");
  });
  world.peer.inbound("t1", "hello");
  expect(await world.peer.rest()).toEqual([
    { type: "progress", message_id: "t1" },
    { type: "progress", text: "reading", message_id: "t1" },
    { type: "reply", content: "hello ", final: false, message_id: "t1" },
    { type: "reply", content: "world", final: true, message_id: "t1" },
  ]);
});

test("a handler that returns leaves its turn open", async () => {
  await using world = await connected();
  world.peer.inbound("t1", "hello");
  const turn = await world.nextTurn();
  expect(await world.peer.rest()).toEqual([]);
  expect(turn.meta).toEqual({ chat_id: "main", message_id: "t1", ts: "2026-01-01T00:00:00Z" });
  turn.end();
  expect(await world.peer.next()).toEqual({ type: "reply", content: "", final: true, message_id: "t1" });
});

test("a handler that throws fails its turn, with at most 4,096 characters", async () => {
  await using world = await connected(() => {
    throw new Error("x".repeat(5000));
  });
  world.peer.inbound("t1", "hello");
  expect(await world.peer.next()).toEqual({ type: "failure", message: "x".repeat(4096), message_id: "t1" });
});

test("answers cancelled when the handler has settled, even if the abort made it throw", async () => {
  const settle = Promise.withResolvers<void>();
  await using world = await connected(async (turn) => {
    await once(turn.signal, "abort");
    await settle.promise;
    turn.signal.throwIfAborted();
  });
  world.peer.inbound("t1", "hello");
  world.peer.send({ type: "cancel", message_id: "t1" });
  expect(await world.peer.rest()).toEqual([]);
  settle.resolve();
  expect(await world.peer.next()).toEqual({ type: "cancelled", message_id: "t1" });
});

test("answers cancelled at once where the handler has settled before", async () => {
  await using world = await connected();
  world.peer.inbound("t1", "hello");
  const turn = await world.nextTurn();
  world.peer.send({ type: "cancel", message_id: "t1" });
  expect(await world.peer.next()).toEqual({ type: "cancelled", message_id: "t1" });
  expect(turn.signal.aborted).toBe(true);
  turn.end("late");
  expect(await world.peer.rest()).toEqual([]);
});

test("an end after the abort is the answer to cancel", async () => {
  await using world = await connected(async (turn) => {
    await once(turn.signal, "abort");
    turn.end("partly");
  });
  world.peer.inbound("t1", "hello");
  world.peer.send({ type: "cancel", message_id: "t1" });
  expect(await world.peer.next()).toEqual({
    type: "reply",
    content: "partly",
    final: true,
    message_id: "t1",
  });
  expect(await world.peer.rest()).toEqual([]);
});

test("a cancel for a turn that is not running is answered too", async () => {
  await using world = await connected();
  world.peer.send({ type: "cancel", message_id: "gone" });
  expect(await world.peer.next()).toEqual({ type: "cancelled", message_id: "gone" });
});

test("a second inbound takes over from a turn that the bridge gave up; a repeated one is ignored", async () => {
  await using world = await connected();
  world.peer.inbound("t1", "one");
  const first = await world.nextTurn();
  world.peer.inbound("t1", "one");
  world.peer.inbound("t2", "two");
  const second = await world.nextTurn();
  expect([first.signal.aborted, second.id]).toEqual([true, "t2"]);
  first.end("late");
  second.end("answer");
  expect(await world.peer.rest()).toEqual([
    { type: "reply", content: "answer", final: true, message_id: "t2" },
  ]);
});

test("a lost connection comes back, resumes the running turn and delivers what was written meanwhile", async () => {
  await using world = await connected();
  world.peer.inbound("t1", "hello");
  const turn = await world.nextTurn();
  turn.reply("a");
  await world.peer.next();
  world.peer.socket.terminate();
  const again = await world.bridge.connection();
  turn.reply("b");
  turn.end("c");
  expect(turn.signal.aborted).toBe(false);
  expect(await again.next()).toMatchObject({ type: "hello", resumes: "t1" });
  again.send({ type: "hello_ack", received: 1 });
  expect(await again.rest()).toEqual([
    { type: "reply", content: "b", final: false, message_id: "t1" },
    { type: "reply", content: "c", final: true, message_id: "t1" },
  ]);
});

test("P-7 what a dying socket swallowed is sent again, with what was written in between and afterwards", async () => {
  await using world = await connected();
  world.peer.inbound("t1", "hello");
  const turn = await world.nextTurn();
  turn.reply("a");
  await world.peer.next();
  world.peer.socket.pause();
  turn.reply("b");
  turn.progress("lost too");
  world.peer.socket.terminate();
  const again = await world.bridge.connection();
  turn.reply("c");
  expect(await again.next()).toMatchObject({ resumes: "t1" });
  again.send({ type: "hello_ack", received: 1 });
  expect(await again.take(3)).toMatchObject([{ content: "b" }, { text: "lost too" }, { content: "c" }]);
  turn.end("d");
  expect(await again.rest()).toEqual([{ type: "reply", content: "d", final: true, message_id: "t1" }]);
});

test("P-7 an end that a dying socket swallowed is sent again, until the next turn begins", async () => {
  await using world = await connected();
  world.peer.inbound("t1", "hello");
  const turn = await world.nextTurn();
  world.peer.socket.pause();
  turn.end("done");
  world.peer.socket.terminate();
  const second = await world.bridge.greeted(0);
  expect(second.hello["resumes"]).toBe("t1");
  expect(await second.peer.rest()).toMatchObject([{ content: "done", final: true }]);
  second.peer.socket.terminate();
  const third = await world.bridge.greeted(1);
  expect(await third.peer.rest()).toEqual([]);
  third.peer.inbound("t2", "next");
  await world.nextTurn();
  third.peer.socket.terminate();
  expect((await world.bridge.greeted(0)).hello["resumes"]).toBe("t2");
});

test("P-7 a bridge that does not say what arrived gets a failure, unless nothing was sent yet", async () => {
  await using world = await connected();
  world.peer.inbound("t1", "hello");
  const turn = await world.nextTurn();
  world.peer.socket.terminate();
  const second = await world.bridge.connection();
  turn.reply("a");
  expect(await second.next()).toMatchObject({ resumes: "t1" });
  second.send({ type: "hello_ack" });
  expect(await second.next()).toMatchObject({ type: "reply", content: "a" });
  second.socket.terminate();
  const third = await world.bridge.greeted();
  expect(await third.peer.rest()).toEqual([
    { type: "failure", message: expect.stringContaining("does not say what arrived"), message_id: "t1" },
  ]);
  expect(turn.signal.aborted).toBe(true);
});

test("P-7 a turn whose lost frames are no longer kept fails instead of going on with a hole", async () => {
  await using world = await connected();
  world.peer.inbound("t1", "hello");
  const turn = await world.nextTurn();
  for (let part = 0; part < 1_100; part += 1) turn.reply("x");
  await world.peer.take(1_100);
  world.peer.socket.terminate();
  const { peer } = await world.bridge.greeted(75);
  expect(await peer.rest()).toMatchObject([{ type: "failure", message_id: "t1" }]);
  expect(turn.signal.aborted).toBe(true);
});

test.each([1009, 4004])("close code %i fails the turn instead of sending the same again", async (code) => {
  await using world = await connected();
  world.peer.inbound("t1", "hello");
  const turn = await world.nextTurn();
  turn.reply("a");
  world.peer.socket.close(code, "because");
  await once(turn.signal, "abort");
  const { peer } = await world.bridge.greeted(0);
  expect(await peer.rest()).toEqual([
    {
      type: "failure",
      message: `The bridge refused a part of the answer (${code}, because)`,
      message_id: "t1",
    },
  ]);
});

test("P-11 a text of any length is sent in parts of at most 256 KiB", async () => {
  const part = "x".repeat(256 * 1024);
  await using world = await connected((turn) => {
    turn.reply(`${part}a`);
    turn.progress(`${part}b`);
    turn.end(`${part}c`);
  });
  world.peer.inbound("t1", "hello");
  const said = (await world.peer.rest()).map(({ type, content, text, final }) => [
    type,
    content ?? text,
    final,
  ]);
  expect(said).toEqual([
    ["reply", part, false],
    ["reply", "a", false],
    ["progress", part, undefined],
    ["progress", "b", undefined],
    ["reply", part, false],
    ["reply", "c", true],
  ]);
});

test("more than 1,024 frames without a connection fail the turn", async () => {
  await using world = await connected();
  world.peer.inbound("t1", "hello");
  const turn = await world.nextTurn();
  world.peer.socket.terminate();
  const again = await world.bridge.connection();
  for (let part = 0; part < 1_100; part += 1) turn.attach(file);
  expect(turn.signal.aborted).toBe(true);
  expect(await again.next()).toMatchObject({ resumes: "t1" });
  again.send({ type: "hello_ack" });
  expect(await again.rest()).toEqual([
    { type: "failure", message: expect.stringContaining("1024 parts"), message_id: "t1" },
  ]);
});

test.each([1001, 4001, 4002, 4003, 4005])("close code %i is final and stops the turn", async (code) => {
  const reasons: string[] = [];
  await using world = await connected(undefined, { onClose: ({ message }) => void reasons.push(message) });
  world.peer.inbound("t1", "hello");
  const turn = await world.nextTurn();
  world.peer.socket.close(code, "because");
  const end = await world.client.closed;
  expect(end).toEqual({ code: "refused", message: `The bridge closed for good (${code}, because)` });
  expect(turn.signal.aborted).toBe(true);
  await world.client.close();
  expect(reasons).toEqual([end.message]);
});

test("start repeats until the bridge is there", async () => {
  const earlier = await TestBridge.listen();
  const { port, url } = earlier;
  await earlier.close();
  await using client = new PluginClient({ url, sessionKey: "main", onInbound: () => undefined });
  const start = client.start();
  await using bridge = await TestBridge.listen(port);
  await bridge.greeted();
  await start;
});

test("gives up after giveUpAfterMs without a connection, and names no secret", async () => {
  const bridge = await TestBridge.listen();
  const { url } = bridge;
  await bridge.close();
  const client = new PluginClient({ url, sessionKey: "main", onInbound: () => undefined, giveUpAfterMs: 0 });
  await expect(client.start()).rejects.toThrow("No connection to the bridge for 0 ms");
  const end = await client.closed;
  expect(end.code).toBe("lost");
  expect(end.message).not.toContain("secret");
});

test("a URL that is none ends the client, and is not repeated", async () => {
  const client = new PluginClient({ url: "secret", sessionKey: "main", onInbound: () => undefined });
  await expect(client.start()).rejects.toThrow("The bridge's URL is not one of a WebSocket");
  expect(await client.closed).toMatchObject({ code: "lost" });
});

test.each([
  ["no JSON", "{", 4004],
  ["an unknown frame", '{"type":"later"}', 4004],
  ["a newer protocol", '{"type":"hello_ack","protocol":2}', 4005],
])("%s ends the client", async (_what, data, code) => {
  await using world = await connected();
  world.peer.socket.send(data);
  expect(await world.peer.closed).toBe(code);
  expect(await world.client.closed).toMatchObject({ code: "unreadable" });
});

test("close is idempotent, sends what was written before it, and ends the wait for a first connection", async () => {
  await using world = await connected((turn) => turn.end("last"));
  world.peer.inbound("t1", "hello");
  expect(await world.peer.next()).toMatchObject({ content: "last" });
  await Promise.all([world.client.close("first"), world.client.close("second")]);
  expect(await world.client.closed).toEqual({ code: "closed", message: "first" });
  expect(await world.peer.closed).toBe(1000);

  const idle = new PluginClient({ url: world.bridge.url, sessionKey: "main", onInbound: () => undefined });
  const start = idle.start();
  await idle.close("never mind");
  await expect(start).rejects.toThrow("never mind");
});

test("P-19 close sends at once what waits for its time", async () => {
  await using bridge = await TestBridge.listen();
  const told = Promise.withResolvers<InboundTurn>();
  await using client = new PluginClient({ url: bridge.url, sessionKey: "main", onInbound: told.resolve });
  void client.start();
  const limits = { frame_bytes: 4096, frames_per_second: 2 };
  const { peer } = await bridge.greeted(undefined, { limits });
  peer.inbound("t1", "hello");
  const turn = await told.promise;
  for (let count = 0; count < 9; count++) turn.attach(file);
  await client.close();
  const frames = await peer.take(9);
  expect(frames.every(({ attachments }) => attachments !== undefined)).toBe(true);
});

test("the environment names bridge and session, options go first", async () => {
  const onInbound = () => undefined;
  const environment = { SYNTHESIS_BRIDGE_URL: "ws://127.0.0.1:1/bridge" };
  expect(() => pluginClientFromEnvironment({ onInbound }, { SYNTHESIS_SESSION_KEY: "main" })).toThrow(
    MissingVariableError,
  );
  expect(() =>
    pluginClientFromEnvironment({ onInbound }, { ...environment, SYNTHESIS_SESSION_KEY: "" }),
  ).toThrow("SYNTHESIS_SESSION_KEY is not set");
  await using bridge = await TestBridge.listen();
  await using client = pluginClientFromEnvironment(
    { onInbound, url: bridge.url, sessionKey: "mine" },
    environment,
  );
  const start = client.start();
  expect((await bridge.greeted()).hello["openclaw_session"]).toBe("mine");
  await start;
});
