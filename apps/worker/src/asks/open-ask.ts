import {
  WireFailure,
  type AgentAsk,
  type AskSettlement,
  type AskSettler,
  type AskVerdict,
  type AskWay,
} from "@synthesis/protocol";
import { answersOf } from "./answers-of.ts";
import { refusalText } from "./refusal-text.ts";

export interface OpenAskOptions {
  readonly info: AgentAsk;
  /** Hash of the API key that may see and answer it. */
  readonly caller: string;
  /** By which ways a person may answer it. */
  readonly ways: readonly AskWay[];
  /** Called once, when it has its verdict and before anybody acts on that. */
  onSettled(settlement: AskSettlement): void;
}

/** One ask: open until its first verdict, which is its only one. */
export class OpenAsk {
  readonly info: AgentAsk;
  readonly caller: string;
  readonly #options: OpenAskOptions;
  readonly #verdict = Promise.withResolvers<AskVerdict>();
  readonly #deadline: NodeJS.Timeout;
  #settlement: AskSettlement | undefined;

  constructor(options: OpenAskOptions) {
    const { info, caller } = options;
    this.info = info;
    this.caller = caller;
    this.#options = options;
    const deny = () => this.settle({ behavior: "deny" }, "deadline");
    this.#deadline = setTimeout(deny, Math.max(0, info.deadlineAt - Date.now()));
  }

  get isOpen(): boolean {
    return this.#settlement === undefined;
  }

  /** What the agent is told; resolves when it is settled. */
  get verdict(): Promise<AskVerdict> {
    return this.#verdict.promise;
  }

  /**
   * A person's verdict. Throws `ask_settled` where it has one, `ask_not_yours` where it may not come by this way, and
   * `invalid_request` where it leaves a question without an answer.
   */
  answer(verdict: AskVerdict, by: AskWay): AskSettlement {
    const { ways } = this.#options;
    if (this.#settlement !== undefined) throw settledAlready(this.#settlement);
    if (!ways.includes(by)) {
      const message = `agent ${this.info.agent} takes no verdict by ${by}: use ${ways.join(" or ")} (asks.by)`;
      throw new WireFailure("ask_not_yours", message);
    }
    const { kind, questions = [] } = this.info;
    const needsAnswer = kind === "question" || kind === "input";
    if (
      verdict.behavior !== "deny" &&
      needsAnswer &&
      Object.keys(answersOf(questions, verdict)).length === 0
    ) {
      const asked = questions.map(({ question }) => `"${question}"`).join(", ");
      const message = `this ask wants an answer: say it in message, or in answers by question (${asked})`;
      throw new WireFailure("invalid_request", message);
    }
    return this.settle(verdict, by);
  }

  /** Settles it, unless it is; returns how it was settled. `always` where that is not offered is `allow`. */
  settle(verdict: AskVerdict, by: AskSettler): AskSettlement {
    if (this.#settlement !== undefined) return this.#settlement;
    clearTimeout(this.#deadline);
    const { id, always } = this.info;
    const behavior = verdict.behavior === "always" && always.length === 0 ? "allow" : verdict.behavior;
    this.#settlement = { ask: id, behavior, by };
    this.#options.onSettled(this.#settlement);
    const message = behavior === "deny" ? (verdict.message ?? refusalText(this.info, by)) : verdict.message;
    this.#verdict.resolve({ ...verdict, behavior, ...(message === undefined ? {} : { message }) });
    return this.#settlement;
  }
}

/** The failure of whoever comes too late. */
export function settledAlready({ behavior, by }: AskSettlement): WireFailure {
  return new WireFailure("ask_settled", `the ask has its verdict: ${behavior}, by ${by}`);
}
