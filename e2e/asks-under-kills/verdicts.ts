/** What a client sees come of a verdict; undefined where the gateway was killed meanwhile. */
interface Answer {
  readonly status: number;
  readonly content: string | undefined;
  readonly error?: { readonly code: string } | undefined;
}

/** What the users said to what they were asked, and what they saw come of it. */
export class Verdicts {
  readonly #said = new Map<string, string>();
  readonly #outcomes = new Map<string, number>();

  /** A verdict on a command is about to be said. */
  say(command: string, word: string): void {
    this.#said.set(command, word);
  }

  /** What was said to a command, if anything was. */
  on(command: string): string | undefined {
    return this.#said.get(command);
  }

  came(mode: string, word: string, answer: Answer | undefined): void {
    this.note(`${mode} ${word}: ${answer === undefined ? "cut" : outcomeOf(answer)}`);
  }

  note(outcome: string): void {
    this.#outcomes.set(outcome, (this.#outcomes.get(outcome) ?? 0) + 1);
  }

  /** Each outcome, and how often it came. */
  get summary(): string {
    return [...this.#outcomes]
      .map(([outcome, count]) => `\n  ${outcome}: ${count}`)
      .toSorted()
      .join("");
  }
}

const OUTCOMES = {
  allowed: /allowed: /,
  denied: /denied: /,
  "too late": /^Too late/,
  over: /question is over/,
  told: /fake: /,
} as const;

function outcomeOf({ status, content = "", error }: Answer): string {
  const [outcome] = Object.entries(OUTCOMES).find(([, words]) => words.test(content)) ?? [];
  return error?.code ?? outcome ?? `${status} ${content}`;
}
