/**
 * A bounded number of places, for live agent processes or for those that start. Who finds none free waits in line;
 * the owner is told, so that it can free one, which then goes to the first in line.
 */
export class Slots {
  readonly #max: number;
  readonly #onShortage: () => void;
  readonly #waiting: (() => void)[] = [];
  #used = 0;

  constructor(max: number, onShortage: () => void) {
    this.#max = max;
    this.#onShortage = onShortage;
  }

  /** Whether somebody waits for a slot. */
  get isShort(): boolean {
    return this.#waiting.length > 0;
  }

  /** Takes a slot; rejects with the signal's reason when it aborts first. */
  async acquire(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (this.#used < this.#max) {
      this.#used++;
      return;
    }
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const leave = () => {
      const place = this.#waiting.indexOf(resolve);
      if (place === -1) return; // the slot was granted in this very moment
      this.#waiting.splice(place, 1);
      reject(signal.reason);
    };
    this.#waiting.push(resolve);
    signal.addEventListener("abort", leave, { once: true });
    this.#onShortage();
    try {
      await promise;
    } finally {
      signal.removeEventListener("abort", leave);
    }
  }

  /** Gives a slot back: to the first in line, if there is one. */
  release(): void {
    const next = this.#waiting.shift();
    if (next) next();
    else this.#used--;
  }
}
