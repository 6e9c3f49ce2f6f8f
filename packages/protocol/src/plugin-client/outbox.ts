import type { TurnFrame } from "../plugin-frame.ts";
import { merged } from "./merged.ts";
import { Pace } from "./pace.ts";
import { PART_BYTES } from "./text-parts.ts";

const MAX_FRAMES = 1_024;
const MAX_MIB = 4;
const MAX_BYTES = MAX_MIB * 1024 * 1024;
const BOUND = `${MAX_FRAMES} parts or ${MAX_MIB} MiB`;

/** A frame that speaks for one turn. */
export type OutboundFrame = TurnFrame & { readonly message_id: string };

/** What a connection is for an {@link Outbox}. */
export interface OutboxLink {
  /** False: it is going or gone. */
  readonly send: (frame: OutboundFrame) => boolean;
  /** How many frames of the turn have arrived, where the bridge says it. */
  readonly received: number | undefined;
  /** Whether the bridge takes numbered frames. */
  readonly isNumbered?: boolean;
  readonly framesPerSecond?: number | undefined;
  /** The longest text that fits into one frame, in bytes of UTF-8. */
  readonly partBytes?: number;
}

/**
 * Sends one turn's frames in order and keeps those that are not known to have arrived, at most 1,024 frames and
 * 4 MiB. It keeps them beyond the turn's end, until the next begins.
 */
export class Outbox {
  #link: OutboxLink | undefined;
  #pace: Pace | undefined;
  #turnId: string | undefined;
  #kept: OutboundFrame[] = [];
  #keptBytes = 0;
  /** How many of the turn's frames came before the kept ones. */
  #dropped = 0;
  /** How many of the turn's frames were written to a socket, or are known to have arrived; never below `#dropped`. */
  #sent = 0;

  /** The turn whose frames it has. */
  get turnId(): string | undefined {
    return this.#turnId;
  }

  /**
   * Forgets the earlier turn: with its next prompt the bridge says that it is over. `received`: what has arrived of
   * the new one already, from whoever answered it before.
   */
  begin(turnId: string, received = 0): void {
    this.#turnId = turnId;
    this.#dropped = received;
    this.#sent = received;
    this.#keep([]);
  }

  /**
   * From now on sends each frame at once, and first those that the bridge has not `received` of this turn. False:
   * they are not all here, or the bridge did not say; then the turn fails.
   */
  connect(link: OutboxLink): boolean {
    this.#link = link;
    const { received, framesPerSecond } = link;
    this.#pace?.stop();
    this.#pace = framesPerSecond === undefined ? undefined : new Pace(framesPerSecond, () => this.#flush());
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

  /** Keeps frames from now on. */
  disconnect(): void {
    this.#link = undefined;
    this.#pace?.stop();
  }

  /** The turn's frames up to this number have arrived. */
  acknowledge(turnId: string, seq: number): void {
    if (turnId !== this.#turnId) return;
    while (this.#dropped < Math.min(seq, this.#sent)) this.#drop();
  }

  /**
   * False: there was no room for what was not sent yet; then the turn fails, since an answer with a hole in it
   * would be worse than none.
   */
  push(frame: OutboundFrame): boolean {
    this.#add(frame);
    this.#flush();
    while (this.#kept.length > MAX_FRAMES || this.#keptBytes > MAX_BYTES) {
      if (this.#sent === this.#dropped) {
        this.fail(`The answer was lost: more than ${BOUND} were written without a connection`);
        return false;
      }
      this.#drop();
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

  /** Sends all that still waits for its time: the connection is about to be closed. */
  hurry(): void {
    this.#pace?.stop();
    this.#pace = undefined;
    this.#flush();
  }

  #add(frame: OutboundFrame): void {
    const last = this.#kept.at(-1);
    const isUnsent = this.#sent < this.#dropped + this.#kept.length;
    const both = last && isUnsent ? merged(last, frame, this.#link?.partBytes ?? PART_BYTES) : undefined;
    if (last !== undefined && both !== undefined) {
      this.#kept[this.#kept.length - 1] = both;
      this.#keptBytes += bytesOf(both) - bytesOf(last);
    } else {
      this.#kept.push(frame);
      this.#keptBytes += bytesOf(frame);
    }
  }

  #drop(): void {
    const oldest = this.#kept.shift();
    if (oldest !== undefined) this.#keptBytes -= bytesOf(oldest);
    this.#dropped += 1;
  }

  #keep(frames: OutboundFrame[]): void {
    this.#kept = frames;
    this.#keptBytes = frames.reduce((bytes, frame) => bytes + bytesOf(frame), 0);
  }

  /** A closing socket refuses before its close is reported; once one frame waits, the later ones do too. */
  #flush(): void {
    if (this.#link === undefined) return;
    const { send, isNumbered = false } = this.#link;
    for (const frame of this.#kept.slice(this.#sent - this.#dropped)) {
      if (this.#pace?.spend() === false) return;
      if (!send(isNumbered ? { ...frame, seq: this.#sent + 1 } : frame)) return;
      this.#sent += 1;
    }
  }
}

function bytesOf(frame: OutboundFrame): number {
  const text = "content" in frame ? frame.content : "text" in frame ? frame.text : undefined;
  const files = frame.type === "reply" ? (frame.attachments ?? []) : [];
  const data = files.map((file) => ("data" in file ? String(file.data).length : 0));
  return data.reduce((sum, bytes) => sum + bytes, typeof text === "string" ? Buffer.byteLength(text) : 0);
}
