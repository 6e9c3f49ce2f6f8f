import { randomUUID } from "node:crypto";
import type { AgentSettings } from "@synthesis/config";
import { monotonicMs, type Logger } from "@synthesis/kit";
import {
  WireFailure,
  type AgentAsk,
  type AskAnswer,
  type AskSettlement,
  type Said,
  type Submit,
} from "@synthesis/protocol";
import type { AskRequest } from "./ask-request.ts";
import { OpenAsk, settledAlready, type OpenAskOptions } from "./open-ask.ts";
import { verdictOn } from "./said-verdict.ts";
import { SettledAsks, type SettledAsk } from "./settled-asks.ts";

/** More at once is no question for a person any more. */
const MAX_OPEN = 32;

const TOO_MANY = "too much is asked at once: wait for the verdicts, then ask again";

/** serving: people are asked. draining: nobody is any more. */
type State = "serving" | "draining";

/** The turn in which something is asked, and its agent. */
export interface Asking {
  readonly order: Submit;
  readonly settings: AgentSettings["asks"];
}

/** The asks of a workspace: the open ones, and how the last ones were settled. With a `caller` those of other API keys are not there. */
export class WorkspaceAsks {
  readonly #log: Logger;
  readonly #open = new Map<string, OpenAsk>();
  readonly #settled = new SettledAsks();
  #state: State = "serving";

  constructor(log: Logger) {
    this.#log = log;
  }

  /** Asks; it is denied at once while the worker drains. `onSettled`: see `OpenAskOptions`. */
  open(
    request: AskRequest,
    { order, settings }: Asking,
    onSettled: (settlement: AskSettlement) => void,
  ): OpenAsk {
    const { caller } = order.request;
    const { by: ways, deadlineMs } = settings;
    const ask: OpenAsk = new OpenAsk({
      info: infoOf(request, order),
      input: request.input,
      caller,
      ways,
      deadlineMs,
      onSettled: (settlement) => {
        const toldMs = ways.includes("chat") ? ask.toldMs : undefined;
        this.#keep({ caller, session: ask.session, toldMs, settledMs: monotonicMs(), settlement });
        onSettled(settlement);
      },
    });
    const { id, turn, session, tool } = ask.info;
    this.#open.set(id, ask);
    this.#log.info("ask.opened", { ask: id, turn, session, tool });
    if (this.#openIn(session).length > MAX_OPEN) ask.settle({ behavior: "deny", message: TOO_MANY }, "agent");
    if (this.#state === "draining") ask.settle({ behavior: "deny" }, "drain");
    return ask;
  }

  /** The open ones, oldest first. */
  list(caller?: string): AgentAsk[] {
    const open = [...this.#open.values()];
    return open.filter((ask) => caller === undefined || ask.caller === caller).map(({ info }) => info);
  }

  /** An open one. Throws `ask_not_found`, or `ask_settled` where it has its verdict. */
  find(id: string, caller?: string): OpenAsk {
    const ask = this.#get(id, caller);
    if (ask instanceof OpenAsk) return ask;
    throw settledAlready(ask.settlement);
  }

  /** A person's verdict. Throws what {@link find} and `OpenAsk.answer` throw. */
  answer(id: string, { by, ...verdict }: AskAnswer, caller?: string): AskSettlement {
    return this.find(id, caller).answer(verdict, by);
  }

  /**
   * What was said in the chat of the session that asks: settles the ask where that is open and this a verdict on it, else
   * undefined. Throws what `OpenAsk.answer` throws, `ask_not_found`, and `ask_settled` for a bare word that came too late
   * for this or another one.
   */
  hear(id: string, said: Said, caller?: string): AskSettlement | undefined {
    const ask = this.#get(id, caller);
    const late = this.meantBy(said, ask.session, ask.caller);
    if (late !== undefined) throw settledAlready(late);
    if (!(ask instanceof OpenAsk)) return undefined;
    const verdict = verdictOn(said, ask);
    return verdict && ask.answer(verdict, "chat");
  }

  /** See `SettledAsks.meantBy`. */
  meantBy(said: Said, session: string, caller: string): AskSettlement | undefined {
    return this.#settled.meantBy(said, session, caller);
  }

  /** How an ask was settled; undefined where it is not known (any more). */
  settlementOf(id: string): AskSettlement | undefined {
    return this.#settled.get(id)?.settlement;
  }

  /** Whether something is open in a session. */
  isAsking(session: string): boolean {
    return this.#openIn(session).length > 0;
  }

  /** Denies what is open, and what is asked from now on. */
  drain(): void {
    this.#state = "draining";
    for (const ask of this.#open.values()) ask.settle({ behavior: "deny" }, "drain");
  }

  #get(id: string, caller: string | undefined): OpenAsk | SettledAsk {
    const ask = this.#open.get(id) ?? this.#settled.get(id);
    if (ask !== undefined && (caller === undefined || caller === ask.caller)) return ask;
    throw new WireFailure("ask_not_found", "there is no such ask here");
  }

  #openIn(session: string): OpenAsk[] {
    return [...this.#open.values()].filter((ask) => ask.session === session);
  }

  #keep(settled: SettledAsk): void {
    const { settlement } = settled;
    this.#open.delete(settlement.ask);
    this.#settled.add(settled);
    this.#log.info("ask.settled", { ...settlement });
  }
}

function infoOf(
  { kind, tool, title, always, questions }: AskRequest,
  { turn, session: { id: session, agent } }: Submit,
): OpenAskOptions["info"] {
  return {
    id: randomUUID(),
    turn,
    session,
    agent,
    kind,
    tool,
    title,
    always: [...always],
    ...(questions === undefined ? {} : { questions }),
  };
}
