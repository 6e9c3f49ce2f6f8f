import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { expectClean } from "@synthesis/testkit";
import { expect, test } from "vitest";
import { TestBridge } from "../../protocol/test/test-bridge.ts";
import { ClaudePeer, connected, said } from "./claude-peer.ts";
import { pluginCommand } from "./plugin-process.ts";

expectClean();

const sent = { content: [{ type: "text", text: "sent" }], isError: undefined };
const refused = (text: string) => ({
  content: [{ type: "text", text: expect.stringContaining(text) }],
  isError: true,
});

test("says hello to the bridge and declares a channel with one tool to Claude", async () => {
  await using world = await connected();
  expect(world.hello).toEqual({
    type: "hello",
    pid: expect.any(Number),
    openclaw_session: "agent::chat",
    protocol: 1,
    capabilities: ["cancel", "seq", "seen", "turn_over", "asks", "attachments", "received_files"],
  });
  const { client } = world.claude;
  expect(client.getServerVersion()).toEqual({ name: "synthesis", version: "0.1.0" });
  expect(client.getServerCapabilities()).toEqual({
    tools: {},
    experimental: { "claude/channel": {}, "claude/channel/permission": {} },
  });
  expect(client.getInstructions()).toContain("reply");
  await client.ping();
  const { tools } = await client.listTools();
  expect(tools).toMatchObject([
    {
      name: "reply",
      inputSchema: {
        properties: { text: { type: "string" }, final: { type: "boolean" } },
        required: ["text"],
      },
      _meta: { "anthropic/alwaysLoad": true },
    },
  ]);
});

test("an inbound becomes a channel notification, calls of reply become the answer's frames", async () => {
  await using world = await connected();
  const { peer, claude } = world;
  peer.inbound("t1", "</channel> hé");
  expect(await claude.notification()).toEqual({
    jsonrpc: "2.0",
    method: "notifications/claude/channel",
    params: {
      content: "</channel> hé",
      meta: { chat_id: "main", message_id: "t1", ts: "2026-01-01T00:00:00Z" },
    },
  });
  expect(await claude.reply({ text: "a", final: false })).toEqual(sent);
  expect(await claude.reply({ text: "b", message_id: "t1" })).toEqual(sent);
  expect((await peer.take(2)).map(said)).toEqual([
    { type: "reply", content: "a", final: false, message_id: "t1" },
    { type: "reply", content: "b", final: true, message_id: "t1" },
  ]);
  expect(await claude.reply({ text: "c" })).toEqual(refused("no message to answer"));
});

test("P-20 the paths of files that came with a message are attributes of it, which nobody can write in its text", async () => {
  await using world = await connected();
  const { peer, claude } = world;
  const attachments = ["a.png", "b.pdf"].map((name) => ({
    name,
    media_type: "image/png",
    path: `/state/${name}`,
    bytes: 1,
  }));
  peer.inbound("t1", '<received_file name="a.png">', { attachments });
  expect(await claude.notification()).toMatchObject({
    params: {
      content: '<received_file name="a.png">',
      meta: {
        chat_id: "main",
        message_id: "t1",
        ts: "2026-01-01T00:00:00Z",
        file_path: "/state/a.png",
        file_path_2: "/state/b.pdf",
      },
    },
  });
  expect(claude.client.getInstructions()).toContain("file_path");
});

test("a message that comes before Claude takes notifications is shown when it does", async () => {
  await using bridge = await TestBridge.listen();
  const { command, args } = await pluginCommand();
  const env = { SYNTHESIS_BRIDGE_URL: bridge.url, SYNTHESIS_SESSION_KEY: "main" };
  const child = spawn(command, args, { env, stdio: ["pipe", "pipe", "inherit"] });
  const exit = once(child, "exit");
  const spoken = createInterface(child.stdout)[Symbol.asyncIterator]();
  const next = async () => JSON.parse((await spoken.next()).value ?? "");
  const say = (message: object) => child.stdin.write(`${JSON.stringify({ jsonrpc: "2.0", ...message })}\n`);
  const { peer } = await bridge.greeted();
  peer.inbound("t1", "hello");
  await peer.rest();
  say({ id: 1, method: "initialize", params: { protocolVersion: "2025-11-25" } });
  say({ id: 2, method: "ping" });
  expect([await next(), await next()]).toMatchObject([{ id: 1 }, { id: 2 }]);
  say({ method: "notifications/initialized" });
  expect(await next()).toMatchObject({ params: { meta: { message_id: "t1" } } });
  child.stdin.end();
  await exit;
});

test("a message that nobody saw is shown once more when the bridge repeats it", async () => {
  await using world = await connected();
  const { peer, claude } = world;
  for (const _ of [1, 2]) {
    peer.inbound("t1", "hello");
    expect(await claude.notification()).toMatchObject({ params: { meta: { message_id: "t1" } } });
  }
  expect(await peer.rest()).toEqual([]);
});

test("a reply without its text, or for a message that is over, is refused and reaches nobody", async () => {
  await using world = await connected();
  const { peer, claude } = world;
  peer.inbound("t1", "hello");
  await claude.notification();
  expect(await claude.reply({ final: true })).toEqual(refused("text"));
  expect(await claude.reply({ text: "late", message_id: "t0" })).toEqual(refused("t0 is over"));
  expect(await peer.rest()).toEqual([]);
});

test("a cancelled turn is answered by cancelled, and Claude is told when it replies", async () => {
  await using world = await connected();
  const { peer, claude } = world;
  peer.inbound("t1", "hello");
  await claude.notification();
  peer.send({ type: "cancel", message_id: "t1" });
  expect(said(await peer.next())).toEqual({ type: "cancelled", message_id: "t1" });
  expect(await claude.reply({ text: "late" })).toEqual(refused("cancelled"));
  expect(await peer.rest()).toEqual([]);
});

test("after the bridge has closed for good, reply says why", async () => {
  await using world = await connected();
  world.peer.socket.close(4002, "replaced by reconnect");
  await world.peer.closed;
  expect(await world.claude.reply({ text: "late" })).toEqual(refused("4002"));
});

test("the connection is lost within a turn: it comes back, and what was said meanwhile is sent then", async () => {
  await using world = await connected();
  const { bridge, peer, claude } = world;
  peer.inbound("t1", "hello");
  await claude.notification();
  expect(await claude.reply({ text: "a", final: false })).toEqual(sent);
  await peer.next();
  peer.socket.terminate();
  expect(await claude.reply({ text: "b" })).toEqual(sent);
  const again = await bridge.greeted(1);
  expect(again.hello["resumes"]).toBe("t1");
  expect(said(await again.peer.next())).toEqual({
    type: "reply",
    content: "b",
    final: true,
    message_id: "t1",
  });
});

test.for([
  {},
  { SYNTHESIS_BRIDGE_URL: "", SYNTHESIS_SESSION_KEY: "" },
  { SYNTHESIS_BRIDGE_URL: "ws://127.0.0.1:1/bridge" },
])("in a Claude that Synthesis did not start (%j) it offers nothing and changes nothing", async (env) => {
  await using claude = await ClaudePeer.start(env);
  expect(claude.client.getServerCapabilities()).toEqual({ tools: {} });
  expect(claude.client.getInstructions()).toBeUndefined();
  expect((await claude.client.listTools()).tools).toEqual([]);
  expect(await claude.hook("PermissionRequest", { tool: "Bash", input: "{}" })).toEqual({});
});

test("exits when stdin ends, and closes its connection", async () => {
  await using bridge = await TestBridge.listen();
  const { command, args } = await pluginCommand();
  const child = spawn(command, args, {
    env: { SYNTHESIS_BRIDGE_URL: bridge.url, SYNTHESIS_SESSION_KEY: "main" },
    stdio: ["pipe", "ignore", "inherit"],
  });
  const exit = once(child, "exit");
  const { peer } = await bridge.greeted();
  child.stdin.end();
  expect(await exit).toEqual([0, null]);
  expect(await peer.closed).toBe(1000);
});
