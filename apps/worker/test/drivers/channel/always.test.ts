import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { eventually, expectClean } from "@synthesis/testkit";
import { expect, test } from "vitest";
import { OwnClaude } from "../../support/own-claude.ts";
import { ChannelWorkspace } from "../../support/channel-workspace.ts";
import { testCaller } from "../../support/test-submit.ts";
import type { SubmitOptions, TestWorkspace } from "../../support/test-workspace.ts";

expectClean();

const SETTINGS = `--settings=${JSON.stringify({ permissions: { allow: ["Bash(touch:*)"] } })}`;

/** Says `always` to what Claude asks; returns what its hook was told. */
async function allowAlways(space: TestWorkspace, options: SubmitOptions): Promise<string> {
  const turn = space.submit("!ask", options);
  const { id } = await turn.untilAsked();
  space.workspace.asks.answer(id, { behavior: "always", by: "api" }, testCaller);
  await turn.outcome;
  return turn.answer;
}

/** What Claude Code leaves of the session, without which it is begun anew. */
async function leaveTranscript({ workspace, configuration, folder }: TestWorkspace): Promise<void> {
  const project = folder.join("claude-config", "projects", "p");
  await mkdir(project, { recursive: true });
  const line = JSON.stringify({ type: "user", cwd: configuration.path });
  await writeFile(join(project, `${workspace.session("s").session.agentSession}.jsonl`), `${line}\n`);
}

test("W-20: what was allowed always is told to the Claude in the session's next terminal", async () => {
  await using channel = await ChannelWorkspace.start();
  const { space } = channel;
  const own = { agent: "own" };
  expect(await allowAlways(space, own)).toContain('"destination":"session"');
  expect((await space.run("!argv", own)).answer).not.toContain("--settings");
  await leaveTranscript(space);
  space.workspace.evictOldest();
  expect((await space.run("!argv", own)).answer).toContain(JSON.stringify(SETTINGS));
  expect(space.workspace.session("s").allowed).toEqual(["Bash(touch:*)"]);
});

test("W-20: what was allowed always to a Claude that somebody else started is that Claude's affair", async () => {
  await using channel = await ChannelWorkspace.start();
  const { space } = channel;
  await using claude = await OwnClaude.start(channel.url("/live?agent=yours"));
  const yours = { agent: "yours" };
  await eventually(() => expect(space.log.fieldsOf("plugin.connected")).toHaveLength(1));
  expect(await allowAlways(space, yours)).toContain('"destination":"session"');
  expect([space.workspace.session("s").allowed, claude.isAlive]).toEqual([[], true]);
});
