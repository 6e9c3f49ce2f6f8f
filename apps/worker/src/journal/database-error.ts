/** What `node:sqlite` gives as `errcode`: SQLite's extended code, whose low byte is the primary one. */
const CORRUPT = 11;
const NOT_A_DATABASE = 26;

/** SQLite can read the journal, and says that it is inconsistent. */
export class DamagedError extends Error {
  override readonly name = "DamagedError";
}

/** Whether SQLite itself failed: a full disk, a lock, a file that is no database. */
export function isDatabaseError(error: unknown): boolean {
  return errcode(error) !== undefined;
}

/** Damage that SQLite reports, or trips over. */
export function isCorrupt(error: unknown): boolean {
  if (error instanceof DamagedError) return true;
  const code = errcode(error);
  return code === CORRUPT || code === NOT_A_DATABASE;
}

function errcode(error: unknown): number | undefined {
  return error instanceof Error && "errcode" in error ? Number(error.errcode) & 0xff : undefined;
}
