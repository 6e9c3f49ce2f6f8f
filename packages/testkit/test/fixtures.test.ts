import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { expect, test } from "vitest";
import { expectClean, fixtures } from "../src/index.ts";
import { BridgeListener, type BridgeConnection } from "./bridge-listener.ts";

expectClean();

function start(path: string, env: Record<string, string> = {}, args: readonly string[] = []) {
  const child = spawn(process.execPath, [path, ...args], { env, stdio: ["pipe", "pipe", "pipe"] });
  const exit = once(child, "exit");
  return Object.assign(child, { exit, line: () => once(createInterface({ input: child.stdout }), "line") });
}

async function kill(child: ChildProcess & { exit: Promise<unknown> }): Promise<void> {
  child.kill("SIGKILL");
  await child.exit;
}

test("stubborn children misbehave as their names say", async () => {
  const dying = start(fixtures.diesBeforeReady);
  expect(await dying.exit).toEqual([3, null]);

  const stubborn = start(fixtures.ignoresSigterm);
  expect(await stubborn.line()).toEqual([`ready ${stubborn.pid}`]);
  stubborn.kill("SIGTERM");

  const flooding = start(fixtures.floodsStdout);
  let bytes = 0;
  flooding.stdout.on("data", (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > 10_000_000) flooding.stdout.destroy();
  });
  await flooding.exit; // by itself, since nobody reads

  expect(stubborn.exitCode).toBeNull();
  await kill(stubborn);
});

test("the stand-in runs as a program", async () => {
  const api = start(fixtures.messagesStandIn, {}, ["--port", "0"]);
  const url = String((await api.line())[0]).replace(/^listening /, "");
  const body = JSON.stringify({ model: "m", stream: true, messages: [{ role: "user", content: "hi" }] });
  const answer = await fetch(`${url}/v1/messages`, { method: "POST", body });
  expect(await answer.text()).toContain("message_stop");
  api.kill("SIGTERM");
  expect(await api.exit).toEqual([0, null]);
});

test("never-hello connects and says nothing", async () => {
  await using bridge = await BridgeListener.start();
  const child = start(fixtures.neverHello, { SYNTHESIS_BRIDGE_URL: bridge.url });
  expect(await child.line()).toEqual(["connected"]);
  const connection = await bridge.connection(0);
  expect(connection.frames).toEqual([]);
  connection.close(4001);
  expect(await child.exit).toEqual([0, null]);
});

async function startSeed(bridge: BridgeListener) {
  const child = start(fixtures.seedPlugin, {
    SYNTHESIS_BRIDGE_URL: bridge.url,
    SYNTHESIS_SESSION_KEY: "a::b",
  });
  const connection = await bridge.connection(0);
  expect(await connection.frame(0)).toEqual({ type: "hello", pid: child.pid, openclaw_session: "a::b" });
  connection.send({ type: "hello_ack" });
  return { child, connection };
}

const ask = (connection: BridgeConnection, content: string) => connection.send({ type: "inbound", content });

test("the seed plugin answers in parts and pongs", async () => {
  await using bridge = await BridgeListener.start();
  const { child, connection } = await startSeed(bridge);
  ask(connection, "hello");
  expect(await connection.answer()).toBe("seed: hello");
  connection.send({ type: "ping" });
  expect(await connection.frame(4)).toEqual({ type: "pong" });
  ask(connection, "!late");
  expect(await connection.frame(6)).toEqual({ type: "reply", content: "seed: unsolicited" });
  ask(connection, "!exit");
  expect(await child.exit).toEqual([0, null]);
});

test("the seed plugin answers on a second connection and survives the end of the first", async () => {
  await using bridge = await BridgeListener.start();
  const { child, connection } = await startSeed(bridge);
  ask(connection, "!twice");
  const second = await bridge.connection(1);
  expect(await second.frame(0)).toMatchObject({ type: "hello", openclaw_session: "a::b" });
  connection.close(4002);
  second.send({ type: "hello_ack" });
  expect(await second.answer()).toBe("seed: second");

  ask(second, "!fake-session");
  const third = await bridge.connection(2);
  expect(await third.frame(0)).toMatchObject({ openclaw_session: "somebody::else" });
  third.close(4003);
  expect(await second.frame(2)).toEqual({ type: "reply", content: "seed: 4003" });
  second.close(1001);
  expect(await child.exit).toEqual([0, null]);
});

test("the seed plugin spaces its parts, holds back, and may fall silent on a second connection", async () => {
  await using bridge = await BridgeListener.start();
  const { child, connection } = await startSeed(bridge);
  ask(connection, "!hold");
  ask(connection, "!parts");
  expect(await connection.answer()).toBe("seed: one two three");
  ask(connection, "!replace-silent");
  const second = await bridge.connection(1);
  await second.frame(0);
  second.send({ type: "hello_ack" });
  ask(second, "later");
  expect(await second.answer()).toBe("seed: later");
  await kill(child);
});
