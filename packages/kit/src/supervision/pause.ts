import { sleep } from "../deadline.ts";

/** A pause that may be ended early, and says how long it still takes. */
export class Pause {
  #wake = new AbortController();
  #until = 0;

  /** How much of it is left, in ms; 0 while there is none. */
  get remainingMs(): number {
    return Math.ceil(Math.max(0, this.#until - performance.now()));
  }

  async take(ms: number): Promise<void> {
    this.#wake = new AbortController();
    this.#until = performance.now() + ms;
    await sleep(ms, this.#wake.signal);
    this.#until = 0;
  }

  end(): void {
    this.#wake.abort();
  }
}
