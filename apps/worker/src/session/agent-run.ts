import type { AskVerdict, Submit } from "@synthesis/protocol";
import { unanswered } from "../asks/answers-of.ts";
import { lateVerdictOn, verdictOn } from "../asks/said-verdict.ts";
import type { TurnOutlet } from "../turn/turn-outlet.ts";
import type { Turn } from "../turn/turn.ts";
import type { AttemptedTurn } from "./turn-attempts.ts";

/**
 * What the next turn of a session is for a run that is paused. verdict: on its ask, or, where that is settled, too late;
 * no prompt in either case. unclear: it answers only some of what is asked. later: the ask is settled, and this is told
 * the rest, then run. other: it wants something else.
 */
export type Meaning =
  | { readonly kind: "verdict"; readonly verdict: AskVerdict }
  | { readonly kind: "unclear" | "later" | "other" };

/** A run of an agent, which may outlive the turn that began it: where that ends with a question, it is paused. */
export class AgentRun {
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

  /** Since when it has waited for a person (epoch ms). */
  get waitsSince(): number | undefined {
    const { lastAsk } = this.outlet;
    return this.#state === "running" && lastAsk?.isOpen === true ? lastAsk.info.toldAt : undefined;
  }

  meaningOf({ said, request }: Submit): Meaning {
    const ask = this.outlet.lastAsk;
    if (ask === undefined || request.caller !== this.#caller) return { kind: "other" };
    if (!ask.isOpen) {
      const late = lateVerdictOn(said, ask);
      return late === undefined ? { kind: "later" } : { kind: "verdict", verdict: late };
    }
    const verdict = verdictOn(said, ask);
    if (verdict === undefined) return { kind: "other" };
    return unanswered(ask.info, verdict).length === 0 ? { kind: "verdict", verdict } : { kind: "unclear" };
  }

  /** Tells a turn, which waits with a prompt of its own, all that is still to come. */
  async tellRest(turn: Turn): Promise<void> {
    this.outlet.handTo(turn, undefined);
    const { end } = await this.ended;
    if (end.state !== "completed") turn.say({ kind: "note", text: `[before this: ${end.error.message}]\n` });
    if (turn.hasText) turn.say({ kind: "text", text: "\n\n" });
  }
}
