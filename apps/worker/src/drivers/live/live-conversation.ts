import type { CloseReason } from "@synthesis/kit";
import type { WireError } from "@synthesis/protocol";
import type { AgentProcess, AgentTurn, AgentTurnEnd, TurnEvents } from "../agent-process.ts";
import type { CommandProcess } from "../command/command-process.ts";

const TAKEN: WireError = {
  code: "agent_unavailable",
  message:
    "the live Claude went to another conversation, or ended, before it was told the message: send it again",
  retryAfterMs: 1_000,
};

/** running: a turn is on it. idle: it may be given up to another conversation. released: it was, or its Claude ended. */
type State = "idle" | "running" | "released";

/** A live Claude as one session has it, till that ends, is evicted, or another conversation takes its place. */
export class LiveConversation implements AgentProcess {
  readonly anchor = undefined;
  readonly #claude: CommandProcess;
  readonly #started = Promise.withResolvers<void>();
  readonly #released = Promise.withResolvers<CloseReason>();
  #state: State = "idle";

  constructor(claude: CommandProcess) {
    this.#claude = claude;
  }

  get state(): State {
    return this.#state;
  }

  get pid(): number | undefined {
    return this.#claude.pid;
  }

  get isAlive(): boolean {
    return this.#state !== "released" && this.#claude.isAlive;
  }

  get started(): Promise<void> {
    return this.#started.promise;
  }

  get closed(): Promise<CloseReason> {
    return this.#released.promise;
  }

  async run(turn: AgentTurn, events: TurnEvents): Promise<AgentTurnEnd> {
    if (this.#state === "released") return { state: "not_begun", error: TAKEN };
    this.#state = "running";
    try {
      return await this.#claude.run(turn, events);
    } finally {
      if (this.#state === "running") this.#state = "idle";
    }
  }

  fits(): boolean {
    return true;
  }

  async steer(): Promise<boolean> {
    return false;
  }

  withdrawSteer(): void {} // it was told nothing

  interrupt(): void {
    this.#claude.interrupt();
  }

  /** Gives it up. A Claude that was told its message is let go of: what that still says must not meet the next turn. */
  async close(reason: CloseReason): Promise<void> {
    const isFree = this.#state !== "running" || this.#claude.withdraw({ state: "not_begun", error: TAKEN });
    if (!isFree) await this.#claude.close(reason);
    this.release(reason);
  }

  async kill(reason: CloseReason): Promise<void> {
    await this.close(reason);
  }

  /** Its Claude has been heard of. */
  begin(): void {
    this.#started.resolve();
  }

  /** It has its Claude no longer. */
  release(reason: CloseReason): void {
    this.#state = "released";
    this.#started.resolve();
    this.#released.resolve(reason);
  }
}
