import { closeSync, openSync, readSync, renameSync } from "node:fs";
import type { Logger } from "@synthesis/kit";

/** First four bytes of a write-ahead log, by the byte order of its checksums (https://sqlite.org/walformat.html). */
const MAGIC = new Set([0x377f0682, 0x377f0683]);

/**
 * Moves a write-ahead log aside, loudly, that is none. SQLite would overwrite it without a word, and with it the
 * last turns; the journal itself is sound without it.
 */
export function keepForeignLog(journal: string, log: Logger): void {
  const file = `${journal}-wal`;
  const magic = firstWord(file);
  if (magic === undefined || MAGIC.has(magic)) return;
  const movedTo = `${journal}.corrupt-${Date.now()}-wal`;
  renameSync(file, movedTo);
  log.error("journal.log_corrupt", { file, movedTo });
}

/** Undefined where there is none. */
function firstWord(file: string): number | undefined {
  const bytes = Buffer.alloc(4);
  try {
    const descriptor = openSync(file, "r");
    try {
      return readSync(descriptor, bytes) === bytes.length ? bytes.readUInt32BE() : undefined;
    } finally {
      closeSync(descriptor);
    }
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw error;
  }
}
