import type { ClaudeLine } from "./claude-line.ts";

/**
 * Tells once of each compaction that Claude Code makes of its conversation, in the middle of a turn whose
 * context is full (measured with 2.1.330: `status compacting`, then `status null`, then `compact_boundary`).
 */
export class CompactionNote {
  readonly #tell: (text: string) => void;
  #isTold = false;

  constructor(tell: (text: string) => void) {
    this.#tell = tell;
  }

  read(line: ClaudeLine): void {
    if (line.type !== "system") return;
    const begins = line.subtype === "status" && line.status === "compacting";
    const ends = line.subtype === "compact_boundary";
    if ((begins || ends) && !this.#isTold) this.#tell("[compacting the conversation]\n");
    if (begins) this.#isTold = true;
    if (ends || line.status === "requesting") this.#isTold = false;
  }
}
