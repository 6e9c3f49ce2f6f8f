/** How much may be sent over time: it holds so many tokens, and fills as time passes, on the monotonic clock. */
export class TokenBucket {
  readonly #perSecond: number;
  readonly #holds: number;
  #left: number;
  #filledAtMs = performance.now();

  constructor(perSecond: number, holds = perSecond) {
    this.#perSecond = perSecond;
    this.#holds = holds;
    this.#left = holds;
  }

  /** Takes so many, unless there are not as many left: then none, and it returns false. */
  take(count: number): boolean {
    const nowMs = performance.now();
    const gained = ((nowMs - this.#filledAtMs) / 1000) * this.#perSecond;
    this.#filledAtMs = nowMs;
    this.#left = Math.min(this.#holds, this.#left + gained);
    if (this.#left < count) return false;
    this.#left -= count;
    return true;
  }
}
