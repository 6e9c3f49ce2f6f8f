import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import {
  claudeEnv,
  expectClean,
  fakeClaudeCommand,
  MessagesStandIn,
  pinnedClaude,
  reply,
  tempFolder,
} from "@synthesis/testkit";
import { expect, test } from "vitest";
import { ask } from "./support/chat.ts";
import { PtyCli } from "./support/pty-cli.ts";
import { Synthesis } from "./support/synthesis.ts";

expectClean();

const agents = {
  own: { workspace: "alpha", driver: "channel" },
  live: { workspace: "alpha", driver: "channel", terminal: "yours" },
};

/** Synthesis with testkit's interactive Claude, whose account has channels. */
async function start(env: Readonly<Record<string, string>> = {}): Promise<Synthesis> {
  await using stack = new AsyncDisposableStack();
  const folder = stack.use(await tempFolder());
  const claude = { bin: await fakeClaudeCommand(folder.path, "channel-claude"), env };
  const synthesis = await Synthesis.start({ claude, agents });
  synthesis.alsoRemove(stack.move());
  return synthesis;
}

/**
 * Synthesis with the real interactive Claude, which has been set up on this machine; `trusts`: its owner has said that
 * the folder of the workspace is to be trusted.
 */
async function startReal(
  trusts: "the folder" | "nothing",
  limits = { seenMs: 300 },
): Promise<AsyncDisposable & { synthesis: Synthesis; api: MessagesStandIn }> {
  await using stack = new AsyncDisposableStack();
  const api = stack.use(await MessagesStandIn.start());
  const home = stack.use(await tempFolder());
  const { PATH: _path, ANTHROPIC_API_KEY: _key, ...env } = claudeEnv(api, home.path);
  const claude = { bin: pinnedClaude(), env: { ...env, ANTHROPIC_AUTH_TOKEN: "stand-in" } };
  const synthesis = stack.use(await Synthesis.start({ claude, agents, limits }));
  const projects =
    trusts === "nothing" ? {} : { [synthesis.folder.join("alpha")]: { hasTrustDialogAccepted: true } };
  await mkdir(home.join(".claude"), { recursive: true });
  const state = { hasCompletedOnboarding: true, theme: "dark", projects };
  await writeFile(join(home.path, ".claude", ".claude.json"), JSON.stringify(state));
  const moved = stack.move();
  return { synthesis, api, [Symbol.asyncDispose]: () => moved.disposeAsync() };
}

test("`synthesis claude`: the Claude in the terminal is a model till it ends, and its exit code is that of the command", async () => {
  await using synthesis = await start();
  const before = await ask(synthesis, { model: "live", say: "hello" });
  expect(before.error).toMatchObject({ message: expect.stringContaining("synthesis claude --agent live") });
  await using terminal = new PtyCli(synthesis, ["claude"]);
  await terminal.shows("Welcome to Claude Code");
  expect(terminal.text).toContain(`the model "live" at ${synthesis.endpoint}/v1`);
  expect(terminal.text).toContain("driver: headless");
  expect((await ask(synthesis, { model: "live", say: "hello" })).content).toBe("channel: hello");
  await terminal.shows("● channel: hello");
  terminal.press("typed by its owner");
  await terminal.shows('typed: "typed by its owner"');
  terminal.press("\x03");
  expect(await terminal.exit).toBe(0);
  const after = await ask(synthesis, { model: "live", say: "hello" });
  expect(after.error).toMatchObject({ message: expect.stringContaining("nobody has started") });
});

test("`synthesis claude` where it cannot be says what to configure", async () => {
  await using synthesis = await start();
  await using unknown = new PtyCli(synthesis, ["claude", "--agent", "other"]);
  await unknown.shows("other: { workspace: alpha, driver: channel, terminal: yours }");
  expect(await unknown.exit).toBe(1);
  await using first = new PtyCli(synthesis, ["claude", "--agent", "live"]);
  await first.shows("Welcome to Claude Code");
  await using second = new PtyCli(synthesis, ["claude", "--agent", "live"]);
  await second.shows("is a live Claude in another terminal already");
  expect(await second.exit).toBe(1);
});

test("`synthesis attach` shows the terminal of a session; with --take-over its keys arrive; Ctrl-] leaves it as it is", async () => {
  await using synthesis = await start();
  const answer = await ask(synthesis, { model: "own", say: "hello" });
  expect(answer.content).toBe("channel: hello");
  const session = answer.headers.get("x-synthesis-session") ?? "";
  await using watcher = new PtyCli(synthesis, ["attach", session]);
  await watcher.shows("● channel: hello");
  await using owner = new PtyCli(synthesis, ["attach", "--take-over", session]);
  await owner.shows("● channel: hello");
  await watcher.shows("size: 100x30");
  owner.press("abc");
  await watcher.shows('typed: "abc"');
  watcher.press("xyz");
  watcher.press("\x1d");
  expect(await watcher.exit).toBe(0);
  owner.press("\x1d");
  expect(await owner.exit).toBe(0);
  expect(owner.text).toContain("you left");
  expect(owner.text).not.toContain("xyz");
  const again = await ask(synthesis, {
    model: "own",
    say: [
      { role: "user", content: "hello" },
      { role: "assistant", content: "channel: hello" },
      { role: "user", content: "again" },
    ],
  });
  expect(again.content).toBe("channel: again");
  expect(again.headers.get("x-synthesis-session")).toBe(session);
});

test("the real Claude, whose account has no channels here, says so on its screen: the client is told, and what to use", async () => {
  await using running = await startReal("the folder");
  const { error } = await ask(running.synthesis, { model: "own", say: "hello" });
  expect(error).toMatchObject({
    code: "agent_unavailable",
    message: expect.stringMatching(/Channels are not currently available.*driver: headless/),
  });
});

test("the real Claude asks whether to trust the folder: nobody answers for its owner, who can by attaching", async () => {
  await using running = await startReal("nothing");
  const { synthesis } = running;
  const answer = await ask(synthesis, { model: "own", say: "hello" });
  expect(answer.error).toMatchObject({ message: expect.stringContaining("is to be trusted") });
  const session = answer.headers.get("x-synthesis-session") ?? "";
  await using owner = new PtyCli(synthesis, ["attach", "--take-over", session]);
  await owner.shows("trust this folder");
  owner.press("\x1b[B");
  await owner.shows("❯ Yes, I trust this folder");
  owner.press("\r");
  await synthesis.log.line("plugin.connected");
});

test("the real Claude as `synthesis claude`: its plugin is connected, and the message that reaches nobody is told so", async () => {
  await using running = await startReal("the folder");
  const { synthesis } = running;
  await using terminal = new PtyCli(synthesis, ["claude"]);
  await synthesis.log.line("plugin.connected");
  await terminal.shows("Channels are not currently available");
  const { error } = await ask(synthesis, { model: "live", say: "hello" });
  expect(error).toMatchObject({
    code: "agent_unavailable",
    message: expect.stringMatching(/is deaf.*driver: headless/),
  });
  await terminal.shows("❯");
  terminal.press("/exit");
  await terminal.shows("❯ /exit");
  terminal.press("\r");
  expect(await terminal.exit).toBe(0);
  expect(terminal.text).toContain("Synthesis had let go of this Claude");
});

test("the real interactive Claude has its hooks at work: given what a channel would have given it, it answers the client", async () => {
  await using running = await startReal("the folder", { seenMs: 30_000 });
  const { synthesis, api } = running;
  const REPLY = "mcp__plugin_synthesis_bridge__reply";
  await using terminal = new PtyCli(synthesis, ["claude"]);
  await synthesis.log.line("plugin.connected");
  await terminal.shows("❯");
  const answer = ask(synthesis, { model: "live", say: "greet me" });
  const { turn } = await synthesis.log.line("turn.ordered");
  api.next(
    reply.toolUse({ name: REPLY, input: { text: "Hello from a terminal" } }),
    reply.text("I have replied."),
  );
  const prompt = `<channel source="plugin:synthesis:bridge" message_id="${String(turn)}">greet me</channel>`;
  terminal.press(prompt);
  await terminal.shows("greet me</channel>");
  terminal.press("\r");
  expect(await answer).toMatchObject({ status: 200, content: "Hello from a terminal" });
  await terminal.shows("I have replied.");
});
