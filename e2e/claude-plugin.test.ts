import { existsSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import {
  claudeEnv,
  descendants,
  eventually,
  expectClean,
  liveProcess,
  MessagesStandIn,
  pinnedClaude,
  reply,
  tempFolder,
} from "@synthesis/testkit";
import { expect, test } from "vitest";
import { openStream, streamed } from "./support/answer-stream.ts";
import { ask } from "./support/chat.ts";
import { Synthesis } from "./support/synthesis.ts";

expectClean();

const REPLY = "mcp__plugin_synthesis_bridge__reply";
const says = (text: string, final: boolean) => reply.toolUse({ name: REPLY, input: { text, final } });
const path = (relative: string) => fileURLToPath(new URL(relative, import.meta.url));

/** Synthesis with an agent `plugged`: the real Claude Code with its plugin, and a stand-in for Claude's API. */
async function start({
  limits = {},
  env: more = {},
}: { limits?: Readonly<Record<string, unknown>>; env?: Readonly<Record<string, string>> } = {}) {
  await using stack = new AsyncDisposableStack();
  const api = stack.use(await MessagesStandIn.start());
  const home = stack.use(await tempFolder());
  const { PATH: _, ...env } = claudeEnv(api, home.path);
  const program = [
    path("support/claude-with-channel.ts"),
    pinnedClaude(),
    path("../packages/claude-plugin"),
    "--allowedTools",
    "Bash",
  ];
  const plugged = {
    workspace: "alpha",
    driver: "command",
    command: ["{node}", ...program],
    env: { ...env, ...more },
  };
  const synthesis = stack.use(await Synthesis.start({ agents: { plugged }, limits }));
  const moved = stack.move();
  return { api, synthesis, [Symbol.asyncDispose]: () => moved.disposeAsync() };
}

/** The process of the plugin, below everything else. */
function pluginOf(synthesis: Synthesis): number {
  const found = descendants(synthesis.cli.pid).find(({ command }) => command.includes("dist/plugin.mjs"));
  if (found === undefined) throw new Error("no plugin runs");
  return found.pid;
}

test("a part that Claude passes to reply reaches the client at once, while Claude still thinks", async () => {
  await using running = await start();
  const { api, synthesis } = running;
  const held = reply.gated();
  api.next(says("Hello, ", false), held.reply);
  const stream = await openStream(synthesis, { model: "plugged", session: "s", say: "greet me" });
  await stream.until("Hello, ");
  held.push("That is all.");
  held.end();
  await stream.end();
  // What it says in place of the last part is that.
  expect(stream).toMatchObject({ content: "Hello, \n\nThat is all.", finishReason: "stop", isDone: true });
});

test("reply ends the answer; what Claude says beside it is not part of it; a second turn runs on the same process", async () => {
  await using running = await start();
  const { api, synthesis } = running;
  const chat = (say: string) => streamed(synthesis, { model: "plugged", session: "s", say });
  api.next(says("Hello, ", false), says("world", true), reply.text("I have replied."));
  expect(await chat("greet me")).toMatchObject({
    content: "Hello, world",
    finishReason: "stop",
    isDone: true,
  });
  const [agent] = synthesis.agents("alpha");
  api.next(reply.text("as plain text"));
  expect(await chat("and again")).toMatchObject({ content: "as plain text", finishReason: "stop" });
  expect(synthesis.agents("alpha").map(({ pid }) => pid)).toEqual([agent?.pid]);
  expect(api.conversations.at(-1)?.userText).toContain("and again");
});

test("a failure of Claude's API is an error to the client", async () => {
  await using running = await start();
  running.api.next(reply.status(403));
  const answer = await ask(running.synthesis, { model: "plugged", session: "s", say: "hello" });
  expect(answer).toMatchObject({ content: undefined, error: { code: "turn_failed" } });
});

test("the plugin is killed within a turn: it comes back, and the client has the whole answer", async () => {
  await using running = await start();
  const { api, synthesis } = running;
  const wait = "touch waits; while [ ! -e go ]; do sleep 0.05; done";
  const waits = reply.toolUse({ name: "Bash", input: { command: wait, description: "wait" } });
  api.next(says("Before. ", false), waits, says("After.", true), reply.text("done"));
  const stream = await openStream(synthesis, { model: "plugged", session: "s", say: "go" });
  await stream.until("Before. ");
  await eventually(() => expect(existsSync(synthesis.folder.join("alpha/waits"))).toBe(true));
  const plugin = pluginOf(synthesis);
  process.kill(plugin, "SIGKILL");
  await eventually(() => expect(liveProcess(plugin)).toBeUndefined());
  await writeFile(synthesis.folder.join("alpha/go"), "");
  await stream.end();
  expect(stream).toMatchObject({ content: "Before. After.", finishReason: "stop", isDone: true });
});

test("a Claude without channels is deaf, and the client is told so", async () => {
  await using running = await start({ limits: { seenMs: 100 }, env: { CHANNELS: "off" } });
  const answer = await ask(running.synthesis, { model: "plugged", session: "s", say: "hello" });
  expect(answer.error).toMatchObject({
    code: "agent_unavailable",
    message: expect.stringContaining("limits.seenMs"),
  });
  expect(running.api.conversations).toEqual([]);
});
