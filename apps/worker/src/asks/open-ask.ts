import { inputJson, monotonicMs, oneLine } from "@synthesis/kit";
import {
  WireFailure,
  type AgentAsk,
  type AskQuestion,
  type AskSettlement,
  type AskSettler,
  type AskVerdict,
  type AskWay,
} from "@synthesis/protocol";
import type { AskRequest } from "./ask-request.ts";
import { unanswered } from "./answers-of.ts";
import { refusalText } from "./refusal-text.ts";

/** Of a longer input so many characters are kept with the journal and the streams. */
const MAX_INPUT = 8_192;

export interface OpenAskOptions {
  readonly info: Omit<
    AgentAsk,
    "input" | "inputLeftOut" | "askedAt" | "toldAt" | "isInAnswer" | "deadlineAt"
  >;
  readonly input: AskRequest["input"];
  /** How long it waits for its verdict. */
  readonly deadlineMs: number;
  /** Hash of the API key that may see and answer it. */
  readonly caller: string;
  /** By which ways a person may answer it. */
  readonly ways: readonly AskWay[];
  /** Called once, when it has its verdict and before anybody acts on that. */
  onSettled(settlement: AskSettlement): void;
}

/** One ask: open until its first verdict, which is its only one. */
export class OpenAsk {
  readonly caller: string;
  readonly #options: OpenAskOptions;
  readonly #verdict = Promise.withResolvers<AskVerdict>();
  #info: AgentAsk;
  #toldMs: number | undefined;
  #deadline: NodeJS.Timeout | undefined;
  #settlement: AskSettlement | undefined;

  constructor(options: OpenAskOptions) {
    const { info, caller } = options;
    const askedAt = Date.now();
    this.caller = caller;
    this.#options = options;
    this.#info = { ...info, ...shortInput(options.input), askedAt, deadlineAt: askedAt };
    this.restart(askedAt);
  }

  get info(): AgentAsk {
    return this.#info;
  }

  get session(): string {
    return this.#info.session;
  }

  /** What the tool would be called with. */
  get input(): AskRequest["input"] {
    return this.#options.input;
  }

  /** Its `info` with the whole of its input. */
  get whole(): AgentAsk {
    const { inputLeftOut: _, ...info } = this.#info;
    return { ...info, input: inputJson(this.input) };
  }

  get isOpen(): boolean {
    return this.#settlement === undefined;
  }

  /** When its user was told, last, by the monotonic clock. */
  get toldMs(): number | undefined {
    return this.#toldMs;
  }

  /** It is told to its user in this moment, in the answer's text or elsewhere: from here on its deadline counts. */
  tell(where: "in_answer" | "elsewhere"): void {
    const toldAt = Date.now();
    this.#toldMs = monotonicMs();
    const { isInAnswer: _, ...info } = this.#info;
    const isInAnswer = where === "in_answer" && this.#options.ways.includes("chat");
    this.#info = { ...info, toldAt, ...(isInAnswer ? { isInAnswer } : {}) };
    this.restart(toldAt);
  }

  /** Its deadline counts anew, from that time (epoch ms). */
  restart(from: number): void {
    if (!this.isOpen) return;
    clearTimeout(this.#deadline);
    const { deadlineMs } = this.#options;
    this.#info = { ...this.#info, deadlineAt: from + deadlineMs };
    this.#deadline = setTimeout(() => this.settle({ behavior: "deny" }, "deadline"), deadlineMs);
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
    const problem = problemOf(this.info, verdict);
    if (problem !== undefined) throw new WireFailure("invalid_request", problem);
    return this.say(verdict, by);
  }

  /** Settles it with what a person said, unless it is; the agent is told a denial's reason as theirs. */
  say({ message, ...verdict }: AskVerdict, by: AskWay): AskSettlement {
    const isReason = verdict.behavior === "deny" && message !== undefined;
    const told = isReason ? `${refusalText(by, this.#options.deadlineMs)}: ${message}` : message;
    return this.settle({ ...verdict, ...(told === undefined ? {} : { message: told }) }, by);
  }

  /** Settles it, unless it is; returns how it was settled. `always` where that is not offered is `allow`. */
  settle(verdict: AskVerdict, by: AskSettler): AskSettlement {
    if (this.#settlement !== undefined) return this.#settlement;
    clearTimeout(this.#deadline);
    const { id, always } = this.info;
    const behavior = verdict.behavior === "always" && always.length === 0 ? "allow" : verdict.behavior;
    this.#settlement = { ask: id, behavior, by };
    this.#options.onSettled(this.#settlement);
    const message =
      behavior === "deny" ? (verdict.message ?? refusalText(by, this.#options.deadlineMs)) : verdict.message;
    this.#verdict.resolve({ ...verdict, behavior, ...(message === undefined ? {} : { message }) });
    return this.#settlement;
  }
}

function problemOf({ kind, questions = [] }: AgentAsk, verdict: AskVerdict): string | undefined {
  const lacking = unanswered({ kind, questions }, verdict).map(
    (asked) => `"${asked.question}"${takenBy(asked)}`,
  );
  if (lacking.length > 0)
    return `this ask wants an answer to ${lacking.join(" and ")}: in answers by question (--answer), or in message (--message) with one line for each question`;
  const known = new Set(questions.map(({ question }) => question));
  const unknown = Object.keys(verdict.answers ?? {}).find((question) => !known.has(question));
  if (unknown === undefined) return undefined;
  return `this ask has no question "${oneLine(unknown, 200)}": say in message what is no answer to a question of it`;
}

function takenBy({ takes, options }: AskQuestion): string {
  if (takes === undefined) return "";
  if (takes === "option")
    return ` (one of ${options.map(({ label }) => `"${oneLine(label, 100)}"`).join(", ")})`;
  return takes === "integer" ? " (a whole number)" : " (a number)";
}

function shortInput(input: AskRequest["input"]): Pick<AgentAsk, "input" | "inputLeftOut"> {
  const json = inputJson(input);
  const inputLeftOut = json.length - MAX_INPUT;
  if (inputLeftOut <= 0) return { input: json };
  const [head, tail] = [json.slice(0, MAX_INPUT / 2), json.slice(-MAX_INPUT / 2)];
  return { input: `${head.toWellFormed()}…${tail.toWellFormed()}`, inputLeftOut };
}

/** The failure of whoever comes too late. */
export function settledAlready({ behavior, by }: AskSettlement): WireFailure {
  return new WireFailure("ask_settled", `the ask has its verdict: ${behavior}, by ${by}`);
}
