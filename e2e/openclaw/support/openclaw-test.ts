import { writeFile } from "node:fs/promises";
import { assertClean, snapshotResources, tempFolder, type MessagesStandIn } from "@synthesis/testkit";
import { test as plainTest, vi } from "vitest";
import { WithClaude } from "../../support/real-claude.ts";
import type { Synthesis } from "../../support/synthesis.ts";
import { installedOpenClaw } from "./installed-openclaw.ts";
import { OpenClaw } from "./openclaw.ts";

const API_KEY = "sk-synthesis-key-of-openclaw-in-this-test";

/** A real OpenClaw whose models are the agents of a running Synthesis, with real Claude Code and a stand-in API. */
export interface Rig {
  readonly openclaw: OpenClaw;
  readonly synthesis: Synthesis;
  readonly api: MessagesStandIn;
}

const program = installedOpenClaw();
if (program === undefined)
  process.stderr.write(
    "skipped: what needs a real OpenClaw, for SYNTHESIS_OPENCLAW names no folder with one\n",
  );
// A fresh daemon loads its plugins in its first turn.
vi.setConfig({ testTimeout: 240_000, hookTimeout: 60_000 });

/**
 * A test with a {@link Rig} that all tests of its file share, each with chats of its own: OpenClaw takes long to start.
 * OpenClaw's agent `main` has Synthesis' `claude` as its model, `ops` has `claude-beta` and names its chats in headers.
 */
export const test = plainTest
  // oxlint-disable-next-line no-empty-pattern -- vitest insists on a pattern
  .extend("rig", { scope: "file" }, async ({}, { onCleanup }): Promise<Rig> => {
    if (program === undefined) throw new Error("there is no OpenClaw");
    const before = snapshotResources();
    await using stack = new AsyncDisposableStack();
    const folder = stack.use(await tempFolder());
    await writeFile(folder.join("key"), API_KEY, { mode: 0o600 });
    const config = { keys: { openclaw: { file: folder.join("key"), client: "openclaw" } } };
    const { api, synthesis } = stack.use(
      await WithClaude.start({ config }, { CLAUDE_CODE_MAX_RETRIES: "0" }),
    );
    const { endpoint } = synthesis;
    const agents = {
      main: { model: "claude" },
      ops: { model: "claude-beta", compat: { sendSessionAffinityHeaders: true } },
    };
    const openclaw = stack.use(await OpenClaw.start(program, { endpoint, apiKey: API_KEY }, agents));
    const started = stack.move();
    onCleanup(async () => {
      await started.disposeAsync();
      await assertClean(before);
    });
    return { openclaw, synthesis, api };
  })
  .skipIf(program === undefined);

/** The sessions of Synthesis that OpenClaw has made: their ids. */
export async function sessionsOf({ synthesis }: Rig): Promise<readonly string[]> {
  const response = await fetch(`${synthesis.endpoint}/v1/synthesis/sessions`, {
    headers: { authorization: `Bearer ${API_KEY}` },
  });
  const { data } = (await response.json()) as { readonly data: readonly { readonly id: string }[] };
  return data.map(({ id }) => id);
}
