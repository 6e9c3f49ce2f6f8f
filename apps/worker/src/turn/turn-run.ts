import type { Limits } from "@synthesis/config";
import type { ErrorCode, TurnEnd, WireError, WireFailure } from "@synthesis/protocol";
import type { AgentProcess, AgentTurnEnd, TurnEvents } from "../drivers/agent-process.ts";
import { endOfStop } from "./end-of-stop.ts";
import type { Turn } from "./turn.ts";

export interface TurnRunOptions {
  readonly process: AgentProcess;
  readonly turn: Pick<Turn, "order" | "cancel" | "start" | "text" | "reasoning">;
  readonly limits: Limits;
  /** Whether the process has shown life before: then its start is over. */
  readonly isWarm: boolean;
}

/**
 * One turn on one process, under its deadlines: start, stall, turn. The first cause to stop it wins; it is
 * interrupted, then killed if it does not stop. A turn that completes all the same, before the interrupt
 * reached it, has completed, unless its answer is known to be wrong.
 */
export class TurnRun implements TurnEvents {
  readonly #options: TurnRunOptions;
  #stage: NodeJS.Timeout | undefined;
  #stageIsStart: boolean;
  /** Set once: why the turn is being stopped, and whether that stands even if it completes all the same. */
  #stopped: { readonly verdict: TurnEnd; readonly isFinal: boolean } | undefined;
  #kill: NodeJS.Timeout | undefined;

  constructor(options: TurnRunOptions) {
    this.#options = options;
    this.#stageIsStart = !options.isWarm;
  }

  async run(): Promise<AgentTurnEnd> {
    const { process, turn, limits } = this.#options;
    const { turnMs } = limits;
    const total = setTimeout(() => this.#timeOut("turn_timeout", "took longer than", turnMs), turnMs);
    const onCancel = () => this.#stop(endOfStop((turn.cancel.reason as WireFailure).error));
    turn.cancel.addEventListener("abort", onCancel, { once: true });
    this.#armStage();
    try {
      const { turn: id, prompt, model } = turn.order;
      const running = process.run({ id, prompt, model }, this);
      if (turn.cancel.aborted) onCancel(); // before the listener was there
      const end = await running;
      if (end.state === "completed" && !this.#stopped?.isFinal) return end;
      return this.#stopped?.verdict ?? end;
    } finally {
      clearTimeout(total);
      clearTimeout(this.#stage);
      clearTimeout(this.#kill);
      turn.cancel.removeEventListener("abort", onCancel);
    }
  }

  onStart(): void {
    this.#options.turn.start();
  }

  onText(text: string): void {
    if (!this.#stopped?.isFinal) this.#options.turn.text(text);
  }

  onReasoning(text: string): void {
    this.#options.turn.reasoning(text);
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
    this.#stop(endOfStop(error), true);
  }

  #armStage(): void {
    const { startMs, stallMs } = this.#options.limits;
    clearTimeout(this.#stage);
    this.#stage = this.#stageIsStart
      ? setTimeout(() => this.#timeOut("start_timeout", "showed no life within", startMs), startMs)
      : setTimeout(() => this.#timeOut("stall_timeout", "was silent for", stallMs), stallMs);
  }

  #timeOut(code: ErrorCode, what: string, ms: number): void {
    this.#stop(endOfStop({ code, message: `the agent ${what} ${ms} ms: its turn was stopped` }));
  }

  #stop(verdict: TurnEnd, isFinal = false): void {
    if (this.#stopped !== undefined) {
      this.#stopped = { verdict: this.#stopped.verdict, isFinal: isFinal || this.#stopped.isFinal };
      return;
    }
    this.#stopped = { verdict, isFinal };
    const { process, limits } = this.#options;
    process.interrupt();
    const reason = { code: "unresponsive", message: "it did not stop when interrupted" };
    this.#kill = setTimeout(() => void process.kill(reason), limits.interruptMs);
  }
}
