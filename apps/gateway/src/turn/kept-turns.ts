import type { LiveTurn } from "./live-turn.ts";

/** A turn that is over, and till when it is kept (by `performance.now`). */
interface KeptTurn {
  readonly turn: LiveTurn;
  readonly until: number;
}

const MAX_TURNS = 1_000;

/** Turns that are over and that no worker knows, such as those that settled an ask, by the names of their keys. */
export class KeptTurns {
  /** The one kept last is the last. */
  readonly #turns = new Map<string, KeptTurn>();

  keep(name: string, turn: LiveTurn, forMs: number): void {
    const now = performance.now();
    for (const [other, { until }] of this.#turns) {
      if (until > now && this.#turns.size < MAX_TURNS) break;
      this.#turns.delete(other);
    }
    this.#turns.delete(name);
    this.#turns.set(name, { turn, until: now + forMs });
  }

  find(name: string): LiveTurn | undefined {
    const kept = this.#turns.get(name);
    return kept !== undefined && kept.until > performance.now() ? kept.turn : undefined;
  }
}
