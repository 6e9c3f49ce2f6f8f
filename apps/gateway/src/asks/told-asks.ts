import type { AgentAsk, AskSettlement } from "@synthesis/protocol";
import { askBody, settlementBody } from "./ask-body.ts";

/** The asks that an answer tells of, for an answer that is one object. */
export class ToldAsks {
  readonly #asks = new Map<string, object>();

  asked(ask: AgentAsk): void {
    this.#asks.set(ask.id, askBody(ask));
  }

  /** It may have been asked in an earlier answer. */
  settled(settlement: AskSettlement): void {
    this.#asks.set(settlement.ask, { ...this.#asks.get(settlement.ask), ...settlementBody(settlement) });
  }

  /** What the object has beside what its API knows: nothing where there was no ask. */
  get body(): object {
    return this.#asks.size === 0 ? {} : { synthesis: { asks: [...this.#asks.values()] } };
  }
}
