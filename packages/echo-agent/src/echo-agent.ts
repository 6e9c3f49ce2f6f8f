import { setImmediate as nextLoopTurn, setTimeout as pause } from "node:timers/promises";
import type { InboundTurn } from "@synthesis/protocol/plugin-client";

const SLOW_PART_MS = 100;

/** Says back what it hears and counts, so that a user sees that the process is warm and remembers. */
export class EchoAgent {
  #turns = 0;

  async answer(turn: InboundTurn): Promise<void> {
    this.#turns += 1;
    const slowParts = /^!slow (\d{1,5})\s*$/m.exec(turn.content)?.[1];
    if (slowParts === undefined) await this.#echo(turn);
    else await this.#beSlow(turn, Number(slowParts));
  }

  async #echo(turn: InboundTurn): Promise<void> {
    const count = this.#turns === 1 ? "" : ` (turn ${this.#turns} of this session)`;
    const words = `You said: ${turn.content}${count}`.match(/\s*\S+|\s+$/g) ?? [];
    const last = words.pop();
    for (const word of words) {
      turn.reply(word);
      // Lets a cancel arrive between two words.
      await nextLoopTurn();
      turn.signal.throwIfAborted();
    }
    turn.end(last);
  }

  async #beSlow(turn: InboundTurn, parts: number): Promise<void> {
    for (let part = 1; part <= parts; part += 1) {
      turn.reply(`part ${part} of ${parts}\n`);
      await pause(SLOW_PART_MS, undefined, { signal: turn.signal });
    }
    turn.end();
  }
}
