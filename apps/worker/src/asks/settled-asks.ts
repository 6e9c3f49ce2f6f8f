import type { AskSettlement, Said } from "@synthesis/protocol";
import { bareVerdict } from "./said-verdict.ts";

/** Whoever comes too late is told how an ask was settled, of so many. */
const MAX_KNOWN = 1_000;
/** A word can be meant for one of so many that were told in a session, in so many sessions. */
const MAX_TOLD = 8;
const MAX_SESSIONS = 1_000;
/** A word that came so soon after one that settled an ask was said twice: nobody reads the next question so fast. */
const DOUBLE_TAP_MS = 1_000;

export interface SettledAsk {
  readonly caller: string;
  readonly session: string;
  /** Since when words in the chat could be meant for it ({@link monotonicMs}); undefined: none could. */
  readonly toldMs: number | undefined;
  readonly settledMs: number;
  readonly settlement: AskSettlement;
}

/** How the last asks were settled. What a session asks makes nothing forgotten that a word in another's chat can mean. */
export class SettledAsks {
  readonly #known = new Map<string, SettledAsk>();
  /** Those that were told, by session; the one that settled last is the last. */
  readonly #told = new Map<string, readonly SettledAsk[]>();

  get(id: string): SettledAsk | undefined {
    return this.#known.get(id);
  }

  add(settled: SettledAsk): void {
    this.#known.set(settled.settlement.ask, settled);
    dropOldest(this.#known, MAX_KNOWN);
    if (settled.toldMs === undefined) return;
    const { session } = settled;
    const told = [...(this.#told.get(session) ?? []), settled].slice(-MAX_TOLD);
    this.#told.delete(session);
    this.#told.set(session, told);
    dropOldest(this.#told, MAX_SESSIONS);
  }

  /** How the ask of a session was settled that a bare word in its chat was meant for; undefined: none, or more was said. */
  meantBy(said: Said, session: string, caller: string): AskSettlement | undefined {
    if (bareVerdict(said) === undefined) return undefined;
    const { receivedMs } = said;
    const isMeant = ({ toldMs = Infinity, settledMs, settlement: { by } }: SettledAsk) =>
      toldMs < receivedMs && receivedMs <= settledMs + (by === "chat" ? DOUBLE_TAP_MS : 0);
    const own = this.#told.get(session)?.filter((each) => each.caller === caller);
    return own?.findLast(isMeant)?.settlement;
  }
}

function dropOldest(map: Map<string, unknown>, max: number): void {
  const [oldest] = map.keys();
  if (map.size > max && oldest !== undefined) map.delete(oldest);
}
