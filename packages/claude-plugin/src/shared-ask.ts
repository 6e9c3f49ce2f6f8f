import type { Verdict } from "@synthesis/protocol/plugin-client";
import type { SessionSuggestion } from "./session-suggestions.ts";

type Suggestions = readonly SessionSuggestion[];
/** Never rejects. */
type Ask = (suggestions: Suggestions, withdrawn: AbortSignal) => Promise<Verdict>;

/** What a person is asked, and for how many calls that still wait. */
interface Question {
  readonly withdrawal: AbortController;
  readonly verdict: Promise<Verdict>;
  waiting: number;
}

/**
 * What is asked for several calls that are the same: one question for those with the same suggestions, for a verdict
 * may choose one of them. A question is taken back when none of its calls needs it any more.
 */
export class SharedAsk {
  readonly #ask: Ask;
  readonly #onOver: () => void;
  /** What is open, by its suggestions as JSON. */
  readonly #questions = new Map<string, Question>();
  /** Of all questions, also of those that are over: what is done may be theirs. */
  #calls = 0;
  #used = 0;

  /** Calls `onOver` when nothing is open any more. */
  constructor(ask: Ask, onOver: () => void) {
    this.#ask = ask;
    this.#onOver = onOver;
  }

  /** For one more call, which waits till `signal` aborts. */
  join(suggestions: Suggestions, signal: AbortSignal): Promise<Verdict> {
    const key = JSON.stringify(suggestions);
    const question = this.#questions.get(key) ?? this.#open(key, suggestions);
    this.#calls += 1;
    question.waiting += 1;
    const leave = () => {
      question.waiting -= 1;
      if (question.waiting === 0) question.withdrawal.abort();
    };
    if (signal.aborted) leave();
    else signal.addEventListener("abort", leave, { once: true });
    return question.verdict;
  }

  /** One of the calls was done: somebody has allowed it. A call that was done may be taken back too, or not. */
  noteUse(): void {
    this.#used += 1;
    if (this.#used < this.#calls) return; // which of them it was, nobody says
    for (const { withdrawal } of this.#questions.values()) withdrawal.abort();
  }

  #open(key: string, suggestions: Suggestions): Question {
    const withdrawal = new AbortController();
    const verdict = this.#verdictOn(key, suggestions, withdrawal.signal);
    const question = { withdrawal, verdict, waiting: 0 };
    this.#questions.set(key, question);
    return question;
  }

  async #verdictOn(key: string, suggestions: Suggestions, withdrawn: AbortSignal): Promise<Verdict> {
    const verdict = await this.#ask(suggestions, withdrawn);
    this.#questions.delete(key);
    if (this.#questions.size === 0) this.#onOver();
    return verdict;
  }
}
