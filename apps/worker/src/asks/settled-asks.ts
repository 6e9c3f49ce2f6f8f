import type { AskSettlement, Said } from "@synthesis/protocol";
import { bareVerdict } from "./said-verdict.ts";

/** Whoever comes too late is told how an ask was settled, of so many in a session, and in so many sessions. */
const MAX_PER_SESSION = 32;
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

/** How the last asks of each session were settled: what one session asks makes none of another's forgotten. */
export class SettledAsks {
  /** By session, the one that settled last at the end. */
  readonly #sessions = new Map<string, SettledAsk[]>();
  readonly #byId = new Map<string, SettledAsk>();

  get(id: string): SettledAsk | undefined {
    return this.#byId.get(id);
  }

  add(settled: SettledAsk): void {
    const own = this.#sessions.get(settled.session) ?? [];
    own.push(settled);
    this.#byId.set(settled.settlement.ask, settled);
    if (own.length > MAX_PER_SESSION) this.#forget(own.splice(0, 1));
    this.#sessions.delete(settled.session);
    this.#sessions.set(settled.session, own);
    const [oldest] = this.#sessions.keys();
    if (this.#sessions.size <= MAX_SESSIONS || oldest === undefined) return;
    this.#forget(this.#sessions.get(oldest) ?? []);
    this.#sessions.delete(oldest);
  }

  /** How the ask of a session was settled that a bare word in its chat was meant for; undefined: none, or more was said. */
  meantBy(said: Said, session: string, caller: string): AskSettlement | undefined {
    if (bareVerdict(said) === undefined) return undefined;
    const { receivedMs } = said;
    const isMeant = ({ toldMs = Infinity, settledMs, settlement: { by } }: SettledAsk) =>
      toldMs < receivedMs && receivedMs <= settledMs + (by === "chat" ? DOUBLE_TAP_MS : 0);
    const own = this.#sessions.get(session)?.filter((each) => each.caller === caller);
    return own?.findLast(isMeant)?.settlement;
  }

  #forget(settled: readonly SettledAsk[]): void {
    for (const { settlement } of settled) this.#byId.delete(settlement.ask);
  }
}
