import { readVerdict, type AskVerdict, type Submit } from "@synthesis/protocol";
import type { TurnOutlet } from "../turn/turn-outlet.ts";
import type { Turn } from "../turn/turn.ts";
import type { AttemptedTurn } from "./turn-attempts.ts";

/**
 * What the next turn of a session is for a run that stands. verdict: on its ask, or, where that is settled, too late;
 * no prompt in either case. later: the ask is settled, and this is told the rest, then run. other: it wants something
 * else.
 */
export type Meaning =
  | { readonly kind: "verdict"; readonly verdict: AskVerdict }
  | { readonly kind: "later" | "other" };

/** A run of an agent, which may outlive the turn that began it: that one may end with a question. */
export class StandingRun {
  readonly outlet: TurnOutlet;
  /** Its end; never rejects. */
  readonly ended: Promise<AttemptedTurn>;
  readonly #caller: string;
  #state: "running" | "over" = "running";

  /** `caller`: who may say how it goes on. `onOver` is called once it is. */
  constructor(outlet: TurnOutlet, caller: string, ended: Promise<AttemptedTurn>, onOver: () => void) {
    this.outlet = outlet;
    this.ended = ended;
    this.#caller = caller;
    void ended.then(() => {
      this.#state = "over";
      onOver();
    });
  }

  get state(): "running" | "over" {
    return this.#state;
  }

  /** What came before its question was told was said to something else: it is no verdict. */
  meaningOf({ request, prompt, said, receivedAt }: Submit): Meaning {
    const ask = this.outlet.lastAsk;
    const { askedAt = 0, kind } = ask?.info ?? {};
    if (request.caller !== this.#caller) return { kind: "other" };
    const words = receivedAt === undefined || receivedAt >= askedAt ? (said ?? wordsOf(prompt)) : "";
    const verdict = readVerdict(words, kind);
    if (ask?.isOpen === true) return verdict === undefined ? { kind: "other" } : { kind: "verdict", verdict };
    const late = readVerdict(words);
    return late === undefined ? { kind: "later" } : { kind: "verdict", verdict: late };
  }

  /** Tells a turn, which waits with a prompt of its own, all that is still to come. */
  async tellRest(turn: Turn): Promise<void> {
    this.outlet.handTo(turn, undefined);
    const { end } = await this.ended;
    if (end.state !== "completed") turn.note(`[before this: ${end.error.message}]\n`);
    if (turn.hasText) turn.text("\n\n");
  }
}

/** What a person wrote; the empty string where it is more than text. */
function wordsOf(prompt: Submit["prompt"]): string {
  if (typeof prompt === "string") return prompt;
  return prompt.every(({ type }) => type === "text")
    ? prompt.map((part) => ("text" in part ? part.text : "")).join("\n")
    : "";
}
