import { closeSync, fsyncSync, openSync, readFileSync, renameSync, writeSync } from "node:fs";
import { join } from "node:path";
import type { Logger } from "@synthesis/kit";

/** More generations than one supervisor can fork. */
const PER_RUN = 1_000_000;

/**
 * Numbers for generations of processes. They grow from one to the next, also from one supervisor of a state
 * folder to its next, wherever the clock was set in between: a journal refuses a worker whose epoch is not above
 * that of the last one. For its reader's sake a number is about the time in epoch ms.
 */
export class Epochs {
  #last: number;

  /** The caller holds the folder's {@link InstanceLock}. Where the disk is full only the clock keeps the next run's apart. */
  constructor(stateDir: string, log: Logger) {
    const file = join(stateDir, "epoch");
    this.#last = Math.max(Date.now(), readKept(file) + PER_RUN);
    try {
      keep(file, this.#last);
    } catch (error) {
      log.error("epochs.not_kept", { file, error: String(error) });
    }
  }

  /** Above all that were given before. */
  next(): number {
    return ++this.#last;
  }
}

/** 0 where there is none, or what is there is no such number: then the clock is all there is to go by. */
function readKept(file: string): number {
  try {
    const kept = Number(readFileSync(file, "utf8"));
    return Number.isSafeInteger(kept + PER_RUN) ? kept : 0;
  } catch {
    return 0;
  }
}

/** In whole, or as it was before. */
function keep(file: string, epoch: number): void {
  const draft = `${file}.new`;
  const descriptor = openSync(draft, "w", 0o600);
  try {
    writeSync(descriptor, `${epoch}\n`);
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
  renameSync(draft, file);
}
