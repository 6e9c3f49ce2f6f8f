import type { PendingAsk } from "../../asks/pending-ask.ts";
import type { TurnEvents } from "../agent-process.ts";
import { toldVerdict, type KeepRules } from "../claude/keep-rules.ts";
import { claudeAsk } from "./claude-ask.ts";
import type { ControlRequest } from "./claude-line.ts";
import { controlAnswer } from "./claude-message.ts";

const NO_TURN = { behavior: "deny", message: "no turn runs, so nobody can be asked" };

/** What one Claude process asks a person, till it is answered, withdrawn, or nobody waits for the answer any more. */
export class ClaudeAsks {
  readonly #write: (line: string) => void;
  readonly #workspace: string;
  readonly #keepRules: KeepRules;
  /** By the id of the control request. */
  readonly #open = new Map<string, PendingAsk>();

  /** `workspace`: the folder outside of which nothing is allowed for good. */
  constructor(write: (line: string) => void, workspace: string, keepRules: KeepRules) {
    this.#write = write;
    this.#workspace = workspace;
    this.#keepRules = keepRules;
  }

  /** Takes Claude's request of that id, if it is one to ask a person; without `events` no turn runs. */
  take(id: string, request: ControlRequest, events: TurnEvents | undefined): boolean {
    const ask = claudeAsk(request, this.#workspace);
    if (ask === undefined) return false;
    if (events === undefined) {
      const isTool = request.subtype === "can_use_tool";
      this.#write(controlAnswer(id, isTool ? NO_TURN : { action: "cancel" }));
      return true;
    }
    const pending = events.onAsk(ask.request);
    this.#open.set(id, pending);
    void pending.verdict.then((verdict) => {
      if (!this.#open.delete(id)) return;
      this.#write(controlAnswer(id, ask.answer(toldVerdict(verdict, ask.rules, this.#keepRules))));
    });
    return true;
  }

  /** Claude does not need the answer any more. */
  withdraw(requestId: string): void {
    const pending = this.#open.get(requestId);
    this.#open.delete(requestId);
    pending?.withdraw();
  }

  /** Claude drops by itself what it asked: it is interrupted, or gone. Whoever is asked learns it from the turn. */
  dropAll(): void {
    this.#open.clear();
  }
}
