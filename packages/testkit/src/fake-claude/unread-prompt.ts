import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/**
 * Whether the process dies of this prompt before it says or keeps anything of it: always of `!unread`, of
 * `!unread-once` only the first one in this folder.
 */
export function diesUnread(prompt: string): boolean {
  const found = /(?<!\S)!unread(-once)?(?!\S)/.exec(prompt);
  if (found?.[1] === undefined) return found !== null;
  const marker = join(process.cwd(), ".fake-claude-unread");
  if (existsSync(marker)) return false;
  writeFileSync(marker, "");
  return true;
}
