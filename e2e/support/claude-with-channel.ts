/**
 * A program for the `command` driver: the real Claude Code with its plugin, which says everything to the bridge itself.
 * What this adds is what Claude Code does of a channel message where the account has channels: a prompt of that form.
 * With `CHANNELS=off` it does not, as where the account has none.
 *   claude-with-channel.ts PATH_OF_CLAUDE PATH_OF_PLUGIN ARGUMENT_OF_CLAUDE …
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { WebSocket, WebSocketServer } from "ws";
import * as z from "zod";

const [claude, plugin, ...more] = process.argv.slice(2);
const bridgeUrl = process.env["SYNTHESIS_BRIDGE_URL"];
if (claude === undefined || plugin === undefined || bridgeUrl === undefined) throw new Error("see above");

const Inbound = z.looseObject({
  type: z.literal("inbound"),
  content: z.string(),
  meta: z.record(z.string(), z.string()),
});

const relay = new WebSocketServer({ host: "127.0.0.1", port: 0 });
await once(relay, "listening");
const { search } = new URL(bridgeUrl);
const relayUrl = `ws://127.0.0.1:${(relay.address() as AddressInfo).port}/bridge${search}`;

const format = ["--input-format", "stream-json", "--output-format", "stream-json", "--verbose"];
const flags = ["-p", ...format, "--permission-mode", "default", "--plugin-dir", plugin, ...more];
const child = spawn(claude, flags, {
  env: { ...process.env, SYNTHESIS_NODE: process.execPath, SYNTHESIS_BRIDGE_URL: relayUrl },
  stdio: ["pipe", "ignore", "inherit"],
});
child.once("exit", (code) => process.exit(code ?? 1));
process.once("SIGTERM", () => child.kill("SIGTERM"));

function prompt(text: string): void {
  const inbound = Inbound.safeParse(JSON.parse(text));
  if (!inbound.success) return;
  const attributes = Object.entries(inbound.data.meta).map(([name, value]) => ` ${name}="${value}"`);
  const content = `<channel source="plugin:synthesis:bridge"${attributes.join("")}>\n${inbound.data.content}\n</channel>`;
  const message = { type: "user", client_composed: true, message: { role: "user", content } };
  child.stdin.write(`${JSON.stringify(message)}\n`);
}

relay.on("connection", (socket) => {
  const bridge = new WebSocket(bridgeUrl);
  const early: string[] = [];
  socket.on("message", (data: Buffer) => {
    if (bridge.readyState === WebSocket.OPEN) bridge.send(data.toString("utf8"));
    else early.push(data.toString("utf8"));
  });
  bridge.once("open", () => early.forEach((text) => bridge.send(text)));
  bridge.on("message", (data: Buffer) => {
    socket.send(data.toString("utf8"));
    if (process.env["CHANNELS"] !== "off") prompt(data.toString("utf8"));
  });
  bridge.on("error", () => socket.terminate());
  bridge.once("close", (code, reason) => (code === 1006 ? socket.terminate() : socket.close(code, reason)));
  socket.once("close", () => bridge.terminate());
});
