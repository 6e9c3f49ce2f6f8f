import type { Limits } from "@synthesis/config";
import type { ErrorCode, TurnEnd, WireError, WireFailure } from "@synthesis/protocol";
import type { AgentProcess, AgentTurn, AgentTurnEnd, TurnEvents } from "../drivers/agent-process.ts";

export interface TurnRunOptions {
  readonly process: AgentProcess;
  readonly turn: AgentTurn;
  readonly limits: Limits;
  /** Whether the process has shown life before: then its start is over. */
  readonly warm: boolean;
  /** Aborted with a {@link WireFailure} as its reason: the turn is to be cancelled. */
  readonly cancel: AbortSignal;
  /** Before the prompt is written. */
  onStart(): void;
  onText(text: string): void;
  onReasoning(text: string): void;
}

/**
 * One turn on one process, under its deadlines: start, stall, turn. The first cause to stop it wins; it is
 * interrupted, then killed if it does not stop. A turn that completes all the same has completed.
 */
export class TurnRun implements TurnEvents {
  readonly #options: TurnRunOptions;
  #stage: NodeJS.Timeout | undefined;
  #stageIsStart: boolean;
  /** Set once: why the turn is being stopped. */
  #verdict: TurnEnd | undefined;
  #kill: NodeJS.Timeout | undefined;

  constructor(options: TurnRunOptions) {
    this.#options = options;
    this.#stageIsStart = !options.warm;
  }

  async run(): Promise<AgentTurnEnd> {
    const { process, turn, limits, cancel } = this.#options;
    const total = setTimeout(
      () => this.#timeOut("turn_timeout", "took longer than", limits.turnMs),
      limits.turnMs,
    );
    const onCancel = () => this.#stop({ state: "cancelled", error: (cancel.reason as WireFailure).error });
    cancel.addEventListener("abort", onCancel, { once: true });
    this.#armStage();
    try {
      const end = await process.run(turn, this);
      return end.state === "completed" ? end : (this.#verdict ?? end);
    } finally {
      clearTimeout(total);
      clearTimeout(this.#stage);
      clearTimeout(this.#kill);
      cancel.removeEventListener("abort", onCancel);
    }
  }

  onStart(): void {
    this.#options.onStart();
  }

  onText(text: string): void {
    if (this.#verdict === undefined) this.#options.onText(text);
  }

  onReasoning(text: string): void {
    if (this.#verdict === undefined) this.#options.onReasoning(text);
  }

  onLife(): void {
    if (!this.#stageIsStart) {
      this.#stage?.refresh();
      return;
    }
    this.#stageIsStart = false;
    this.#armStage();
  }

  onHopeless(error: WireError): void {
    this.#stop({ state: "failed", error });
  }

  #armStage(): void {
    const { startMs, stallMs } = this.#options.limits;
    clearTimeout(this.#stage);
    this.#stage = this.#stageIsStart
      ? setTimeout(() => this.#timeOut("start_timeout", "showed no life within", startMs), startMs)
      : setTimeout(() => this.#timeOut("stall_timeout", "was silent for", stallMs), stallMs);
  }

  #timeOut(code: ErrorCode, what: string, ms: number): void {
    this.#stop({
      state: "failed",
      error: { code, message: `the agent ${what} ${ms} ms: its turn was stopped` },
    });
  }

  #stop(verdict: TurnEnd): void {
    if (this.#verdict !== undefined) return;
    this.#verdict = verdict;
    const { process, limits } = this.#options;
    process.interrupt();
    const reason = { code: "unresponsive", message: "it did not stop when interrupted" };
    this.#kill = setTimeout(() => void process.kill(reason), limits.interruptMs);
  }
}
