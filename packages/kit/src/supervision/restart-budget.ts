const FIRST_DELAY_MS = 100;

export interface RestartLimits {
  /** Deaths in a row that spend the budget. */
  readonly restarts: number;
  /** Longest pause before a restart, in ms. */
  readonly restartPauseMs: number;
}

/**
 * How long to wait before the next restart. The first is immediate; only consecutive deaths count, with no
 * steady service in between, for they alone show that a restart does not help.
 */
export class RestartBudget {
  readonly #limits: RestartLimits;
  #deaths = 0;

  constructor(limits: RestartLimits) {
    this.#limits = limits;
  }

  /** The child has served for a while: what happened before does not count any more. */
  refill(): void {
    this.#deaths = 0;
  }

  /** Counts a death and gives the pause before the next start, in ms, with jitter (half to full). */
  nextDelayMs(): number {
    const death = this.#deaths++;
    if (death === 0) return 0;
    const full = Math.min(FIRST_DELAY_MS * 2 ** (death - 1), this.#limits.restartPauseMs);
    return full / 2 + (Math.random() * full) / 2;
  }

  /** Too many deaths in a row: who waits for the child is told so instead of waiting on. */
  get isSpent(): boolean {
    return this.#deaths >= this.#limits.restarts;
  }
}
