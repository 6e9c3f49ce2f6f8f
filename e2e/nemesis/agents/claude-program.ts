import { chmod, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { pinnedClaude } from "@synthesis/testkit";

const fakeClaude = fileURLToPath(
  new URL("../../../packages/testkit/src/bin/fake-claude.ts", import.meta.url),
);
const directive = fileURLToPath(new URL("ledger-claude.ts", import.meta.url));

/**
 * Writes an executable `claude` into `folder` and returns its path. Synthesis has one `claude.bin` for all
 * workspaces: in the folders named here it is the real Claude Code, in all others the fake one with a ledger.
 */
export async function writeClaudeProgram(folder: string, realWorkspaces: readonly string[]): Promise<string> {
  const file = join(folder, "claude");
  const real = realWorkspaces.map((name) => `*/${name}) exec ${quote(pinnedClaude())} "$@" ;;`);
  const fake = `exec ${quote(process.execPath)} --import ${quote(directive)} ${quote(fakeClaude)} "$@"`;
  await writeFile(file, ["#!/bin/sh", 'case "$PWD" in', ...real, "esac", fake, ""].join("\n"));
  await chmod(file, 0o755);
  return file;
}

function quote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
