/** How many frames a connection may still send: a bucket that holds one second's worth and fills as time passes. */
export class FrameBudget {
  readonly #perSecond: number;
  #left: number;
  /** On the monotonic clock. */
  #filledAtMs = performance.now();

  constructor(perSecond: number) {
    this.#perSecond = perSecond;
    this.#left = perSecond;
  }

  /** False: there are not as many left. */
  spend(frames: number): boolean {
    const nowMs = performance.now();
    const gained = ((nowMs - this.#filledAtMs) / 1000) * this.#perSecond;
    this.#filledAtMs = nowMs;
    this.#left = Math.min(this.#perSecond, this.#left + gained) - frames;
    return this.#left >= 0;
  }
}
