import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { claudeEnv, expectClean, MessagesStandIn, pinnedClaude, reply, tempFolder } from "@synthesis/testkit";
import { expect, test } from "vitest";
import { openStream } from "./support/answer-stream.ts";
import { openAsk, openAsks, settle } from "./support/asks.ts";
import { Synthesis } from "./support/synthesis.ts";

expectClean();

const path = (relative: string) => fileURLToPath(new URL(relative, import.meta.url));
const plugged = { model: "plugged", session: "one" } as const;
const git = (folder: string) =>
  reply.toolUse({ name: "Bash", input: { command: `git init --quiet ${folder}`, description: "a command" } });

/** Synthesis with an agent `plugged`: the real Claude Code with its plugin, and a stand-in for Claude's API. */
async function start() {
  await using stack = new AsyncDisposableStack();
  const api = stack.use(await MessagesStandIn.start());
  const home = stack.use(await tempFolder());
  const { PATH: _, ...env } = claudeEnv(api, home.path);
  const program = [path("support/claude-with-channel.ts"), pinnedClaude(), path("../packages/claude-plugin")];
  const agent = { workspace: "alpha", driver: "command", command: ["{node}", ...program], env };
  const synthesis = stack.use(await Synthesis.start({ agents: { plugged: agent } }));
  const { folder } = synthesis;
  const moved = stack.move();
  const exists = (name: string) => existsSync(folder.join("alpha", name));
  return { api, synthesis, exists, [Symbol.asyncDispose]: () => moved.disposeAsync() };
}

test("what Claude asks over the bridge is answered with always: not asked again in its session, and in no settings file", async () => {
  await using running = await start();
  const { api, synthesis, exists } = running;
  api.next(git("repo"), reply.text("Made."), git("repo"), reply.text("Again."));
  const first = await openStream(synthesis, { ...plugged, say: "make it" });
  await first.until("`always` (Bash(git init");
  const ask = await openAsk(synthesis);
  expect([ask.kind, ask.tool, exists("repo")]).toEqual(["permission", "Bash", false]);
  const verdict = await openStream(synthesis, { ...plugged, say: "always" });
  await Promise.all([first.end(), verdict.end()]);
  expect([verdict.content.trim(), exists("repo/.git")]).toEqual(["Made.", true]);
  const again = await openStream(synthesis, { ...plugged, say: "once more" });
  expect((await again.end()).content).toBe("Again.");
  expect([exists(".claude/settings.local.json"), await openAsks(synthesis)]).toEqual([false, []]);
});

test("a verdict over the API is told to the Claude at the bridge, with its reason", async () => {
  await using running = await start();
  const { api, synthesis, exists } = running;
  api.next(git("repo"), reply.text("Not then."));
  const stream = await openStream(synthesis, { ...plugged, say: "make it" });
  const { id } = await openAsk(synthesis);
  await settle(synthesis, id, { behavior: "deny", message: "not on a Sunday" });
  await stream.end();
  expect(stream.content).toMatch(/Not then\.$/);
  expect(JSON.stringify(api.conversations.at(-1)?.body.messages)).toContain("not on a Sunday");
  expect(exists("repo")).toBe(false);
});
