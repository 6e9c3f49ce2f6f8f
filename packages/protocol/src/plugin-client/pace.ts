/** How long a paced frame waits before it is tried again. */
const RETRY_MS = 20;

/** Keeps a connection below the frames that it may send: half of them, so that what else is sent has room (P-19). */
export class Pace {
  readonly #perSecond: number;
  readonly #onRoom: () => void;
  #left: number;
  #filledAtMs = performance.now();
  #timer: NodeJS.Timeout | undefined;

  /** `onRoom` is called some time after a frame was refused. */
  constructor(framesPerSecond: number, onRoom: () => void) {
    this.#perSecond = framesPerSecond / 2;
    this.#left = Math.max(1, this.#perSecond);
    this.#onRoom = onRoom;
  }

  /** False: not yet. */
  spend(): boolean {
    const nowMs = performance.now();
    const gained = ((nowMs - this.#filledAtMs) / 1000) * this.#perSecond;
    this.#filledAtMs = nowMs;
    this.#left = Math.min(Math.max(1, this.#perSecond), this.#left + gained);
    if (this.#left >= 1) {
      this.#left -= 1;
      return true;
    }
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.#onRoom();
    }, RETRY_MS);
    return false;
  }

  stop(): void {
    clearTimeout(this.#timer);
  }
}
