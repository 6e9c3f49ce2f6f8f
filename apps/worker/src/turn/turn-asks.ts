import type { AgentSettings } from "@synthesis/config";
import type { AskSettlement, AskSettler, AskVerdict, Submit } from "@synthesis/protocol";
import type { OpenAsk } from "../asks/open-ask.ts";
import type { AskRequest } from "../asks/ask-request.ts";
import type { PendingAsk } from "../asks/pending-ask.ts";
import { ruleVerdict } from "../asks/rule-verdict.ts";
import type { WorkspaceAsks } from "../asks/workspace-asks.ts";

export interface TurnAsksOptions {
  readonly settings: AgentSettings;
  readonly asks: WorkspaceAsks;
  /** The next one may be told now, if there is a turn for it. */
  readonly onNext: () => void;
  /** One that was told has its verdict; called before the agent hears of that. */
  onSettled(settlement: AskSettlement): void;
}

/** So many questions in a row that nobody answers, and there is nobody to ask. */
const MAX_UNANSWERED = 2;

const MOVED_ON: AskVerdict = { behavior: "deny", message: "the user has gone on to something else" };
const PLACE_NEEDED: AskVerdict = {
  behavior: "deny",
  message: "nobody answered, and the agent's place was needed",
};
const NOBODY_THERE: AskVerdict = {
  behavior: "deny",
  message: `nobody answered the last ${MAX_UNANSWERED} questions: go on without asking, or end the turn and say what you need`,
};

/** What an agent asks in one run: told one at a time, in order; each has one verdict. */
export class TurnAsks {
  readonly #options: TurnAsksOptions;
  readonly #untold = new Set<OpenAsk>();
  /** The last one that was told. */
  #told: OpenAsk | undefined;
  /** What is said to all that is asked. */
  #denial: AskVerdict | undefined;
  /** Since a person was heard of. */
  #unanswered = 0;

  constructor(options: TurnAsksOptions) {
    this.#options = options;
  }

  /** The last one that was told, settled or not. */
  get last(): OpenAsk | undefined {
    return this.#told;
  }

  /** Asks a person; `order` is of the turn at hand, and in a stateless one nobody is there to be asked. */
  ask(request: AskRequest, order: Submit): PendingAsk {
    const { settings, asks, onNext } = this.#options;
    const verdict = ruleVerdict(settings, request.tool) ?? this.#denialIn(order);
    if (verdict !== undefined) return { verdict: Promise.resolve(verdict), withdraw: () => {} };
    const ask = asks.open(request, { order, settings: settings.asks }, (settlement) =>
      this.#settled(settlement),
    );
    this.#untold.add(ask);
    void ask.verdict.then(() => {
      this.#untold.delete(ask);
      onNext();
    });
    onNext();
    return { verdict: ask.verdict, withdraw: (by = "agent") => void ask.settle({ behavior: "deny" }, by) };
  }

  /** The next one, to be told now: see `OpenAsk.tell`. Undefined while another one is open. */
  takeNext(where: Parameters<OpenAsk["tell"]>[0]): OpenAsk | undefined {
    if (this.#denial !== undefined || this.#told?.isOpen === true) return undefined;
    const next = [...this.#untold].find(({ isOpen }) => isOpen);
    if (next === undefined) return undefined;
    this.#untold.delete(next);
    this.#told = next;
    next.tell(where);
    for (const later of this.#untold) later.restart(Date.now()); // after it: it is to hear first that nobody is there
    return next;
  }

  /** Its client is there: it says this to the last one, and is asked from now on. */
  goOn(verdict: AskVerdict): void {
    this.#unanswered = 0;
    this.#denial = undefined;
    this.#told?.say(verdict, "chat");
  }

  /** Its client wants something else: nobody is asked any more. */
  moveOn(): void {
    this.#denyAll(MOVED_ON, "chat");
  }

  /** Its process is needed elsewhere: denies what is asked, now and later. */
  giveUp(): void {
    this.#denyAll(PLACE_NEEDED, "agent");
  }

  /** Its client cancelled the turn that ended with its question: nobody is asked any more. */
  cancel(): void {
    this.#denyAll({ behavior: "deny" }, "cancelled");
  }

  #denyAll(verdict: AskVerdict, by: AskSettler): void {
    this.#denial = verdict;
    for (const ask of [...this.#untold, this.#told]) ask?.settle(verdict, by);
  }

  #denialIn({ isStateless }: Submit): AskVerdict | undefined {
    if (this.#denial !== undefined) return this.#denial;
    if (isStateless === true) return MOVED_ON;
    return this.#unanswered < MAX_UNANSWERED ? undefined : NOBODY_THERE;
  }

  #settled(settlement: AskSettlement): void {
    const { ask: id, by } = settlement;
    if (id === this.#told?.info.id) this.#options.onSettled(settlement);
    if (by === "chat" || by === "api" || by === "cli") this.#unanswered = 0;
    if (by !== "deadline" || ++this.#unanswered !== MAX_UNANSWERED) return;
    for (const ask of this.#untold) ask.settle(NOBODY_THERE, "deadline");
  }
}
