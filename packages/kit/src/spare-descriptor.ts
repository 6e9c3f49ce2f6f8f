import { closeSync, openSync } from "node:fs";

/**
 * A file descriptor kept back for what must not fail when all others are used up, such as looking for the
 * processes that are to be killed: a synchronous piece of work that has one file open at a time.
 */
export class SpareDescriptor {
  #descriptor = tryOpen();

  /** Gives the descriptor up while `work` runs, and takes one back, where there is one then. */
  lend<T>(work: () => T): T {
    if (this.#descriptor !== undefined) closeSync(this.#descriptor);
    try {
      return work();
    } finally {
      this.#descriptor = tryOpen();
    }
  }
}

function tryOpen(): number | undefined {
  try {
    return openSync("/dev/null", "r");
  } catch {
    return undefined; // the next one who lends it may find one again
  }
}
