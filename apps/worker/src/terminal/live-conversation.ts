import type { CloseReason } from "@synthesis/kit";
import type { WireError } from "@synthesis/protocol";
import type { AgentProcess, AgentTurn, AgentTurnEnd, TurnEvents } from "../drivers/agent-process.ts";

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
  readonly closed: Promise<CloseReason>;
  readonly mark = undefined;
  readonly #claude: AgentProcess;
  readonly #released = Promise.withResolvers<CloseReason>();
  #state: State = "idle";

  constructor(claude: AgentProcess) {
    this.#claude = claude;
    this.closed = Promise.race([claude.closed, this.#released.promise]);
    void this.closed.then(() => (this.#state = "released"));
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
    return Promise.race([this.#claude.started, this.#released.promise.then(() => {})]);
  }

  async run(turn: AgentTurn, events: TurnEvents): Promise<AgentTurnEnd> {
    if (this.#state === "released") return { state: "not_begun", error: TAKEN };
    this.#state = "running";
    const end = await this.#claude.run(turn, events);
    if (this.#state === "running") this.#state = "idle";
    return end;
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

  /** Gives it up. Within a turn its Claude is let go: what that still says must not meet the next turn. */
  async close(reason: CloseReason): Promise<void> {
    if (this.#state === "running") await this.#claude.close(reason);
    this.#state = "released";
    this.#released.resolve(reason);
  }

  async kill(reason: CloseReason): Promise<void> {
    await this.close(reason);
  }
}
