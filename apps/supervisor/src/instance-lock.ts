import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { UnusableError } from "@synthesis/kit";

/** How long a predecessor that is being ended may still hold the lock. */
const WAIT_MS = 2_000;

/**
 * The right to work with a state folder: one supervisor at a time, whatever runtime folder, port or
 * environment it was started with. A lock of the kernel, taken through SQLite: it ends with its process, so
 * none is ever left behind.
 */
export class InstanceLock {
  readonly #database: DatabaseSync;

  /** Throws `UnusableError` where another supervisor works with the folder. */
  constructor(stateDir: string) {
    this.#database = new DatabaseSync(join(stateDir, "instance.lock"), { timeout: WAIT_MS });
    try {
      this.#database.exec("PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE;");
    } catch (cause) {
      this.#database.close();
      if (!isBusy(cause)) throw cause;
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

/** SQLITE_BUSY: somebody else holds it. */
function isBusy(error: unknown): boolean {
  return error instanceof Error && "errcode" in error && error.errcode === 5;
}
