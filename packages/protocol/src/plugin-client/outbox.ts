import type { TurnFrame } from "./turn.ts";

const MAX_FRAMES = 1_024;

/** Sends a client's frames in order, and keeps up to 1,024 of them while there is no connection. */
export class Outbox {
  #send: ((frame: TurnFrame) => boolean) | undefined;
  #waiting: TurnFrame[] = [];

  /** The turn that the waiting frames speak for. */
  get turnId(): string | undefined {
    return this.#waiting.at(-1)?.message_id;
  }

  /** Sends what waits, and from now on each frame at once. */
  connect(send: (frame: TurnFrame) => boolean): void {
    this.#send = send;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const frame of waiting) this.push(frame);
  }

  /** Keeps frames from now on. Returns whether it was connected. */
  disconnect(): boolean {
    const wasConnected = this.#send !== undefined;
    this.#send = undefined;
    return wasConnected;
  }

  /**
   * False: there was no room. Then the failure of that turn is all that waits, since an answer with a hole in
   * it would be worse than none.
   */
  push(frame: TurnFrame): boolean {
    // A closing socket refuses before its close is reported; once one frame waits, the later ones do too.
    if (this.#waiting.length === 0 && this.#send?.(frame)) return true;
    if (this.#waiting.length < MAX_FRAMES) {
      this.#waiting.push(frame);
      return true;
    }
    const message = `The answer was lost: more than ${MAX_FRAMES} parts were written without a connection`;
    this.#waiting = [{ type: "failure", message, message_id: frame.message_id }];
    return false;
  }
}
