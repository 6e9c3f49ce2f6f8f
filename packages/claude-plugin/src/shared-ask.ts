import type { Verdict } from "@synthesis/protocol/plugin-client";

/** One question for several calls that are the same. It is taken back when none of them needs it any more. */
export class SharedAsk {
  readonly #withdrawal = new AbortController();
  readonly #verdict: Promise<Verdict>;
  #calls = 0;
  #takenBack = 0;
  #used = 0;

  /** Asks; `ask` never rejects. */
  constructor(ask: (withdrawn: AbortSignal) => Promise<Verdict>) {
    this.#verdict = ask(this.#withdrawal.signal);
  }

  /** For one more call, which waits till `signal` aborts. */
  join(signal: AbortSignal): Promise<Verdict> {
    this.#calls += 1;
    const leave = () => {
      this.#takenBack += 1;
      this.#withdrawWhereUnneeded();
    };
    if (signal.aborted) leave();
    else signal.addEventListener("abort", leave, { once: true });
    return this.#verdict;
  }

  /** One of the calls was done: somebody else has allowed it. */
  noteUse(): void {
    this.#used += 1;
    this.#withdrawWhereUnneeded();
  }

  /** A call that was done may be taken back too, or not: which of them it is, nobody says. */
  #withdrawWhereUnneeded(): void {
    if (Math.max(this.#takenBack, this.#used) >= this.#calls) this.#withdrawal.abort();
  }
}
