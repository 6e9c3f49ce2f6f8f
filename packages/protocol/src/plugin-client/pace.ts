import { TokenBucket } from "../token-bucket.ts";

/** How long a paced frame waits before it is tried again. */
const RETRY_MS = 20;

/** Keeps a connection below the frames that it may send: half of them, so that what else is sent has room (P-19). */
export class Pace {
  readonly #bucket: TokenBucket;
  readonly #onRoom: () => void;
  #timer: NodeJS.Timeout | undefined;

  /** `onRoom` is called some time after a frame was refused. */
  constructor(framesPerSecond: number, onRoom: () => void) {
    const perSecond = framesPerSecond / 2;
    this.#bucket = new TokenBucket(perSecond, Math.max(1, perSecond));
    this.#onRoom = onRoom;
  }

  /** False: not yet. */
  spend(): boolean {
    if (this.#bucket.take(1)) return true;
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
