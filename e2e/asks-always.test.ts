import { randomUUID } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { expectClean, reply, tempFolder } from "@synthesis/testkit";
import { expect, test } from "vitest";
import { openStream } from "./support/answer-stream.ts";
import { openAsk, openAsks, settle } from "./support/asks.ts";
import { ask } from "./support/chat.ts";
import { Cli } from "./support/cli.ts";
import { WithClaude } from "./support/real-claude.ts";
import type { Synthesis } from "./support/synthesis.ts";

expectClean();

const inSession = { model: "claude", session: "one" } as const;
const initialize = (folder: string) =>
  reply.toolUse({ name: "Bash", input: { command: `git init --quiet ${folder}`, description: "a command" } });

/** Runs a command of the CLI to its end; returns what it printed. */
async function cli({ folder }: Synthesis, ...args: readonly string[]): Promise<string> {
  const command = new Cli([...args, "--state-dir", folder.join("state")], folder);
  expect((await command.exit).code).toBe(0);
  return command.stdout.text;
}

test("always holds when the worker was restarted, is told by API and CLI, and not for another key's session of that name", async () => {
  await using folder = await tempFolder();
  const [theirKey, file] = [randomUUID(), folder.join("key")];
  await writeFile(file, theirKey, { mode: 0o600 });
  await using running = await WithClaude.start({ config: { keys: { other: { file } } } });
  const { api, synthesis } = running;
  api.next(initialize("one"), reply.text("Made."));
  const first = await openStream(synthesis, { ...inSession, say: "make it" });
  const { id, session } = await openAsk(synthesis);
  await settle(synthesis, id, { behavior: "always" });
  await first.end();

  await cli(synthesis, "restart", "alpha");
  api.next(initialize("two"), reply.text("Again."));
  expect(await ask(synthesis, { ...inSession, say: "again" })).toMatchObject({ content: "Again." });
  const { endpoint, key } = synthesis;
  const headers = { authorization: `Bearer ${key}` };
  const told = await fetch(`${endpoint}/v1/synthesis/sessions/${session}`, { headers });
  expect(await told.json()).toMatchObject({ id: session, allowed: ["Bash(git init *)"] });
  expect(await cli(synthesis, "sessions", "show", session)).toMatch(/^allowed +Bash\(git init \*\)$/m);

  const stranger = { endpoint, key: theirKey } as Synthesis;
  api.next(initialize("three"), reply.text("Not so."));
  const theirs = await openStream(stranger, { ...inSession, say: "make it" });
  await settle(stranger, (await openAsk(stranger)).id, { behavior: "deny" });
  await theirs.end();
  expect([await openAsks(stranger), await openAsks(synthesis)]).toEqual([[], []]);
});
