import { spawn } from "node:child_process";
import { once } from "node:events";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js";
import type { Notification } from "@modelcontextprotocol/sdk/types.js";
import { expect, test } from "vitest";
import { TestBridge } from "../../protocol/test/test-bridge.ts";
import { pluginCommand } from "./plugin-process.ts";

/** The real plugin process with a real MCP client in Claude's place. */
async function mcpClient(env: Record<string, string>) {
  const client = new Client({ name: "claude", version: "0" });
  const inbox: Notification[] = [];
  let wake: (() => void) | undefined;
  client.fallbackNotificationHandler = async (notification) => {
    inbox.push(notification);
    wake?.();
  };
  await client.connect(new StdioClientTransport({ ...(await pluginCommand()), env, stderr: "inherit" }));
  const notification = async () => {
    while (inbox.length === 0) await new Promise<void>((resolve) => (wake = resolve));
    return inbox.shift()!;
  };
  const reply = async (input: Record<string, unknown>) => {
    const { content, isError } = await client.callTool({ name: "reply", arguments: input });
    return { content, isError };
  };
  return { client, notification, reply, [Symbol.asyncDispose]: () => client.close() };
}

async function connected() {
  const stack = new AsyncDisposableStack();
  const bridge = stack.use(await TestBridge.listen());
  const env = { SYNTHESIS_BRIDGE_URL: bridge.url, SYNTHESIS_SESSION_KEY: "agent::chat" };
  const mcp = stack.use(await mcpClient(env));
  const { peer, hello } = await bridge.greeted();
  return { bridge, peer, hello, ...mcp, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

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
    capabilities: ["cancel"],
  });
  expect(world.client.getServerCapabilities()?.experimental).toEqual({ "claude/channel": {} });
  expect(world.client.getInstructions()).toContain("reply");
  const { tools } = await world.client.listTools();
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
  world.peer.inbound("t1", "</channel> hé");
  expect(await world.notification()).toMatchObject({
    method: "notifications/claude/channel",
    params: {
      content: "</channel> hé",
      meta: { chat_id: "main", message_id: "t1", ts: "2026-01-01T00:00:00Z" },
    },
  });
  expect(await world.reply({ text: "a", final: false })).toEqual(sent);
  expect(await world.reply({ text: "b" })).toEqual(sent);
  expect(await world.peer.take(2)).toEqual([
    { type: "reply", content: "a", final: false, message_id: "t1" },
    { type: "reply", content: "b", final: true, message_id: "t1" },
  ]);
  expect(await world.reply({ text: "c" })).toEqual(refused("no message to answer"));
});

test("a cancelled turn is answered by cancelled, and Claude is told when it replies", async () => {
  await using world = await connected();
  world.peer.inbound("t1", "hello");
  await world.notification();
  world.peer.send({ type: "cancel", message_id: "t1" });
  expect(await world.peer.next()).toEqual({ type: "cancelled", message_id: "t1" });
  expect(await world.reply({ text: "late" })).toEqual(refused("cancelled"));
  expect(await world.peer.rest()).toEqual([]);
});

test("after the bridge has closed for good, reply says why", async () => {
  await using world = await connected();
  world.peer.socket.close(4002, "replaced by reconnect");
  await world.peer.closed;
  expect(await world.reply({ text: "late" })).toEqual(refused("4002"));
});

test.each([
  [{}, "SYNTHESIS_BRIDGE_URL"],
  [{ SYNTHESIS_BRIDGE_URL: "", SYNTHESIS_SESSION_KEY: "" }, "SYNTHESIS_BRIDGE_URL"],
  [{ SYNTHESIS_BRIDGE_URL: "ws://127.0.0.1:1/bridge" }, "SYNTHESIS_SESSION_KEY"],
])("with %j it starts, and its tool names %s", async (env, variable) => {
  await using mcp = await mcpClient(env);
  expect((await mcp.client.listTools()).tools).toHaveLength(1);
  expect(await mcp.reply({ text: "hello" })).toEqual(refused(`${variable} is not set`));
});

test("exits when stdin ends, and closes its connection", async () => {
  await using bridge = await TestBridge.listen();
  const { command, args } = await pluginCommand();
  const child = spawn(command, args, {
    env: { SYNTHESIS_BRIDGE_URL: bridge.url, SYNTHESIS_SESSION_KEY: "main" },
    stdio: ["pipe", "pipe", "inherit"],
  });
  const exit = once(child, "exit");
  const say = (message: object) => child.stdin.write(`${JSON.stringify({ jsonrpc: "2.0", ...message })}\n`);
  const params = {
    protocolVersion: "2025-11-25",
    capabilities: {},
    clientInfo: { name: "claude", version: "0" },
  };
  say({ id: 1, method: "initialize", params });
  say({ method: "notifications/initialized" });
  const { peer } = await bridge.greeted();
  child.stdin.end();
  expect(await exit).toEqual([0, null]);
  expect(await peer.closed).toBe(1000);
});
