import type { InboundTurn } from "@synthesis/protocol/plugin-client";

/** The turn that a tool call of Claude's answers: there is one at a time, and Claude names none. */
export class CurrentTurn {
  #turn: InboundTurn | undefined;
  #obstacle: string | undefined;

  /** `obstacle`: why there will never be a turn. */
  constructor(obstacle?: string) {
    this.#obstacle = obstacle;
  }

  begin(turn: InboundTurn): void {
    this.#turn = turn;
  }

  /** From now on there is none any more. */
  block(obstacle: string): void {
    this.#obstacle ??= obstacle;
  }

  /** Passes a part of the answer on. Returns why nobody got it, or nothing. */
  reply(text: string, final: boolean): string | undefined {
    if (this.#obstacle !== undefined) return this.#obstacle;
    const turn = this.#turn;
    if (turn === undefined) return "There is no message to answer: wait for the next one.";
    if (turn.signal.aborted) return "The sender cancelled this message: stop working on it.";
    if (final) {
      this.#turn = undefined;
      turn.end(text);
    } else turn.reply(text);
    return undefined;
  }
}
