import { LoopBatch } from "@synthesis/kit";
import type { Ack, TurnFrame } from "@synthesis/protocol";

/** What the frame of a peer that numbers is. */
export type FramePlace = "next" | "repeated" | "after_gap" | "of_another_turn" | "not_numbered";

/** Which frames have arrived of the turn that was asked last, also after its end: its plugin may not know (P-7, P-13). */
export class TakenFrames {
  readonly #acks: LoopBatch<Ack>;
  #turnId = "";
  #count = 0;

  /** `acknowledge` is called at most once in a turn of the event loop. */
  constructor(acknowledge: (ack: Ack) => void) {
    this.#acks = new LoopBatch((acks) => {
      const last = acks.at(-1);
      if (last !== undefined) acknowledge(last);
    });
  }

  /** Another turn is asked. */
  begin(turnId: string): void {
    this.#turnId = turnId;
    this.#count = 0;
  }

  of(turnId: string): number {
    return turnId === this.#turnId ? this.#count : 0;
  }

  isOf(turnId: string | undefined): boolean {
    return turnId === this.#turnId;
  }

  /** Takes a frame of a peer that numbers none. */
  count(): void {
    this.#count += 1;
  }

  /** Takes a numbered frame where it is the next one; acknowledges it also where it is repeated. */
  take({ message_id, seq }: TurnFrame): FramePlace {
    if (message_id === undefined || seq === undefined) return "not_numbered";
    if (message_id !== this.#turnId) return "of_another_turn";
    if (seq > this.#count + 1) return "after_gap";
    const place = seq === this.#count + 1 ? "next" : "repeated";
    this.#count = Math.max(this.#count, seq);
    this.#acks.add({ type: "ack", message_id, seq: this.#count });
    return place;
  }
}
