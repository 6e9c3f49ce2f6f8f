import { truncateSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { UnusableError } from "@synthesis/kit";

/** How long a predecessor that is being ended may still hold the lock. */
const WAIT_MS = 2_000;

/**
 * The right to work with a state folder: one supervisor at a time, whatever runtime folder, port or
 * environment it was started with. A lock of the kernel, taken through SQLite: it ends with its process, so
 * none is ever left behind. Its file stays empty.
 */
export class InstanceLock {
  readonly #database: DatabaseSync;

  /** Throws `UnusableError` where another supervisor works with the folder. */
  constructor(stateDir: string) {
    const file = join(stateDir, "instance.lock");
    try {
      this.#database = lockedOrEmptied(file);
    } catch (cause) {
      if (codeOf(cause) !== SQLITE_BUSY) throw cause;
      throw new UnusableError(
        `Synthesis is already running with the state folder ${stateDir}: stop it, or choose another with --state-dir`,
        { cause },
      );
    }
  }

  /** Idempotent. */
  release(): void {
    if (this.#database.isOpen) this.#database.close();
  }
}

/** Something has written into a file whose content means nothing: whoever empties it twice has emptied it once. */
function lockedOrEmptied(file: string): DatabaseSync {
  try {
    return locked(file);
  } catch (error) {
    if (codeOf(error) !== SQLITE_NOTADB) throw error;
    truncateSync(file);
    return locked(file);
  }
}

function locked(file: string): DatabaseSync {
  const database = new DatabaseSync(file, { timeout: WAIT_MS });
  try {
    database.exec("PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE;");
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

const SQLITE_BUSY = 5;
const SQLITE_NOTADB = 26;

function codeOf(error: unknown): unknown {
  return error instanceof Error && "errcode" in error ? error.errcode : undefined;
}
