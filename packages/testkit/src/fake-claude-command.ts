import { randomUUID } from "node:crypto";
import { rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/**
 * Writes an executable `claude` into `folder` that runs a fake (its directives: `bin/fake-claude.ts`, or of the
 * interactive one `bin/channel-claude.ts`) with this process's Node, and returns its path. It works as `claude.bin`.
 */
export async function fakeClaudeCommand(
  folder: string,
  fake: "fake-claude" | "channel-claude" = "fake-claude",
): Promise<string> {
  const script = fileURLToPath(new URL(`./bin/${fake}.ts`, import.meta.url));
  const command = join(folder, "claude");
  // By rename: a shell that just reads an earlier one must not see it emptied.
  const draft = `${command}.${randomUUID()}`;
  const text = `#!/bin/sh\nexec ${quote(process.execPath)} ${quote(script)} "$@"\n`;
  await writeFile(draft, text, { mode: 0o755 });
  await rename(draft, command);
  return command;
}

function quote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
