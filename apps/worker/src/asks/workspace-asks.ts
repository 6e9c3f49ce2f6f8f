import { randomUUID } from "node:crypto";
import type { AgentSettings } from "@synthesis/config";
import type { Logger } from "@synthesis/kit";
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
import { bareVerdict, verdictOn } from "./said-verdict.ts";

/** Who comes too late is told how an ask was settled, of so many. */
const MAX_SETTLED = 1_000;
/** A word that came so soon after one that settled an ask was said twice: nobody reads the next question so fast. */
const DOUBLE_TAP_MS = 1_000;
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

interface Settled {
  readonly caller: string;
  readonly session: string;
  /** Since when words in the chat could be meant for it; undefined: none could. */
  readonly toldAt: number | undefined;
  /** Epoch ms. */
  readonly settledAt: number;
  readonly settlement: AskSettlement;
}

/** The asks of a workspace: the open ones, and how the last ones were settled. With a `caller` those of other API keys are not there. */
export class WorkspaceAsks {
  readonly #log: Logger;
  readonly #open = new Map<string, OpenAsk>();
  readonly #settled = new Map<string, Settled>();
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
        const toldAt = ways.includes("chat") ? ask.info.toldAt : undefined;
        this.#keep({ caller, session: ask.session, toldAt, settledAt: Date.now(), settlement });
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
    const late = this.tooLateFor(ask.session, ask.caller, said);
    if (late !== undefined) throw settledAlready(late);
    if (!(ask instanceof OpenAsk)) return undefined;
    const verdict = verdictOn(said, ask.info);
    return verdict && ask.answer(verdict, "chat");
  }

  /** How the ask of a session was settled that a bare word in its chat was meant for; undefined: there is none, or more was said. */
  tooLateFor(session: string, caller: string, said: Said): AskSettlement | undefined {
    if (bareVerdict(said) === undefined) return undefined;
    const { receivedAt } = said;
    const isMeant = ({ toldAt = Infinity, settledAt, settlement: { by } }: Settled) =>
      toldAt < receivedAt && receivedAt <= settledAt + (by === "chat" ? DOUBLE_TAP_MS : 0);
    const settled = [...this.#settled.values()].filter(
      (each) => each.session === session && each.caller === caller,
    );
    return settled.findLast(isMeant)?.settlement;
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

  #get(id: string, caller: string | undefined): OpenAsk | Settled {
    const ask = this.#open.get(id) ?? this.#settled.get(id);
    if (ask !== undefined && (caller === undefined || caller === ask.caller)) return ask;
    throw new WireFailure("ask_not_found", "there is no such ask here");
  }

  #openIn(session: string): OpenAsk[] {
    return [...this.#open.values()].filter((ask) => ask.session === session);
  }

  #keep(settled: Settled): void {
    const { settlement } = settled;
    this.#open.delete(settlement.ask);
    this.#settled.set(settlement.ask, settled);
    const [oldest] = this.#settled.keys();
    if (this.#settled.size > MAX_SETTLED && oldest !== undefined) this.#settled.delete(oldest);
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
