import type { TurnFrame } from "./turn.ts";

const MAX_FRAMES = 1_024;
const MAX_MIB = 4;
const MAX_BYTES = MAX_MIB * 1024 * 1024;
const BOUND = `${MAX_FRAMES} parts or ${MAX_MIB} MiB`;

/**
 * Sends one turn's frames in order and keeps the last of them, at most 1,024 frames and 4 MiB: what was written
 * to a socket may not have arrived. It keeps them beyond the turn's end, until the next begins.
 */
export class Outbox {
  #send: ((frame: TurnFrame) => boolean) | undefined;
  #turnId: string | undefined;
  #kept: TurnFrame[] = [];
  #keptBytes = 0;
  /** How many of the turn's frames came before the kept ones. */
  #dropped = 0;
  /** How many of the turn's frames were written to a socket, or are known to have arrived; never below `#dropped`. */
  #sent = 0;

  /** The turn whose frames it has. */
  get turnId(): string | undefined {
    return this.#turnId;
  }

  /** Forgets the earlier turn: with its next prompt the bridge says that it is over. */
  begin(turnId: string): void {
    this.#turnId = turnId;
    this.#dropped = 0;
    this.#sent = 0;
    this.#keep([]);
  }

  /**
   * From now on sends each frame at once, and first those that the bridge has not `received` of this turn. False:
   * they are not all here, or the bridge did not say; then the turn fails.
   */
  connect(send: (frame: TurnFrame) => boolean, received: number | undefined): boolean {
    this.#send = send;
    const arrived = this.#sent === 0 ? 0 : received;
    const isWhole = arrived !== undefined && arrived >= this.#dropped;
    if (isWhole) this.#sent = Math.min(arrived, this.#dropped + this.#kept.length);
    else {
      const why = arrived === undefined ? "the bridge does not say what arrived" : `more than ${BOUND} ago`;
      this.fail(`A part of the answer was lost with the connection: ${why}`);
      this.#dropped = arrived ?? 0;
      this.#sent = this.#dropped;
    }
    this.#flush();
    return isWhole;
  }

  /** Keeps frames from now on. Returns whether it was connected. */
  disconnect(): boolean {
    const wasConnected = this.#send !== undefined;
    this.#send = undefined;
    return wasConnected;
  }

  /**
   * False: there was no room for what was not sent yet; then the turn fails, since an answer with a hole in it
   * would be worse than none.
   */
  push(frame: TurnFrame): boolean {
    this.#kept.push(frame);
    this.#keptBytes += bytesOf(frame);
    this.#flush();
    while (this.#kept.length > MAX_FRAMES || this.#keptBytes > MAX_BYTES) {
      if (this.#sent === this.#dropped) {
        this.fail(`The answer was lost: more than ${BOUND} were written without a connection`);
        return false;
      }
      const oldest = this.#kept.shift();
      if (oldest !== undefined) this.#keptBytes -= bytesOf(oldest);
      this.#dropped += 1;
    }
    return true;
  }

  /** Puts a failure in the place of all that is kept, unless one stands there; it goes out with the next connection. */
  fail(message: string): void {
    if (this.#turnId === undefined) return;
    const failure = this.#kept.find(({ type }) => type === "failure");
    this.#dropped = this.#sent;
    this.#keep([failure ?? { type: "failure", message, message_id: this.#turnId }]);
  }

  #keep(frames: TurnFrame[]): void {
    this.#kept = frames;
    this.#keptBytes = frames.reduce((bytes, frame) => bytes + bytesOf(frame), 0);
  }

  /** A closing socket refuses before its close is reported; once one frame waits, the later ones do too. */
  #flush(): void {
    if (this.#send === undefined) return;
    for (const frame of this.#kept.slice(this.#sent - this.#dropped)) {
      if (!this.#send(frame)) return;
      this.#sent += 1;
    }
  }
}

function bytesOf(frame: TurnFrame): number {
  const text = "content" in frame ? frame.content : "text" in frame ? frame.text : undefined;
  return typeof text === "string" ? Buffer.byteLength(text) : 0;
}
