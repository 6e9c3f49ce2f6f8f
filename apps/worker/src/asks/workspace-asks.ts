import { randomUUID } from "node:crypto";
import type { AgentSettings } from "@synthesis/config";
import type { Logger } from "@synthesis/kit";
import {
  WireFailure,
  type AgentAsk,
  type AskAnswer,
  type AskSettlement,
  type Submit,
} from "@synthesis/protocol";
import type { AskRequest } from "../drivers/agent-process.ts";
import { oneLine } from "./one-line.ts";
import { OpenAsk, settledAlready } from "./open-ask.ts";

/** Who comes too late is told how an ask was settled, of so many. */
const MAX_SETTLED = 1_000;
const MAX_INPUT = 8_192;
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
    const info = infoOf(request, order, settings);
    const { caller } = order.request;
    const ask = new OpenAsk({
      info,
      caller,
      ways: settings.by,
      onSettled: (settlement) => {
        this.#keep({ caller, settlement });
        onSettled(settlement);
      },
    });
    this.#open.set(info.id, ask);
    this.#log.info("ask.opened", { ask: info.id, turn: info.turn, session: info.session, tool: info.tool });
    if (this.#openIn(info.session).length > MAX_OPEN)
      ask.settle({ behavior: "deny", message: TOO_MANY }, "agent");
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
    const [open, settled] = [this.#open.get(id), this.#settled.get(id)];
    const isTheirs = (owner: string | undefined) => caller === undefined || caller === owner;
    if (open !== undefined && isTheirs(open.caller)) return open;
    if (settled !== undefined && isTheirs(settled.caller)) throw settledAlready(settled.settlement);
    throw new WireFailure("ask_not_found", "there is no such ask here");
  }

  /** A person's verdict. Throws what {@link find} and `OpenAsk.answer` throw. */
  answer(id: string, { by, ...verdict }: AskAnswer, caller?: string): AskSettlement {
    return this.find(id, caller).answer(verdict, by);
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

  #openIn(session: string): OpenAsk[] {
    return [...this.#open.values()].filter(({ info }) => info.session === session);
  }

  #keep({ caller, settlement }: Settled): void {
    this.#open.delete(settlement.ask);
    this.#settled.set(settlement.ask, { caller, settlement });
    const [oldest] = this.#settled.keys();
    if (this.#settled.size > MAX_SETTLED && oldest !== undefined) this.#settled.delete(oldest);
    this.#log.info("ask.settled", { ...settlement });
  }
}

function infoOf(request: AskRequest, order: Submit, { deadlineMs }: AgentSettings["asks"]): AgentAsk {
  const { kind, tool, title, input, always, questions } = request;
  const askedAt = Date.now();
  return {
    id: randomUUID(),
    turn: order.turn,
    session: order.session.id,
    agent: order.session.agent,
    kind,
    tool,
    title,
    input: oneLine(JSON.stringify(input), MAX_INPUT),
    always: [...always],
    ...(questions === undefined ? {} : { questions }),
    askedAt,
    deadlineAt: askedAt + deadlineMs,
  };
}
