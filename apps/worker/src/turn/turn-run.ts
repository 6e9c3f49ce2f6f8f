import type { Limits } from "@synthesis/config";
import type {
  AskSettler,
  AskVerdict,
  Attachment,
  ToolCallDelta,
  TurnEnd,
  WireError,
  WireFailure,
} from "@synthesis/protocol";
import type { AskRequest } from "../asks/ask-request.ts";
import type { PendingAsk } from "../asks/pending-ask.ts";
import type {
  AgentProcess,
  AgentTurn,
  AgentTurnEnd,
  TurnEvents,
  TurnStage,
} from "../drivers/agent-process.ts";
import { endOfStop } from "./end-of-stop.ts";
import { TurnClock } from "./turn-clock.ts";
import type { AnswerEvent } from "./turn-event.ts";
import type { TurnOutlet } from "./turn-outlet.ts";

export interface TurnRunOptions {
  readonly process: AgentProcess;
  readonly turn: Pick<
    TurnOutlet,
    "cancel" | "start" | "answer" | "remark" | "runsOn" | "steered" | "ask" | "attach" | "allTold"
  >;
  /** What the process is told of it. */
  readonly told: AgentTurn;
  readonly limits: Limits;
  /** What is left of `limits.turnMs`, after earlier attempts. */
  readonly leftMs: number;
  /** Whether the process has shown life before: then its start is over. */
  readonly isWarm: boolean;
  /** The agent's account may not be used before `untilMs` (epoch ms). */
  onAccountHeld(untilMs: number): void;
}

/** Why a turn is being stopped, and whether that is its end even if it completes all the same. */
interface Stop {
  readonly end: TurnEnd;
  readonly isFinal: boolean;
}

/**
 * One turn on one process, under its deadlines, which stand still while a person is asked. The first cause to stop it
 * wins; it is interrupted, then killed if it does not stop. A turn that completes all the same, before the interrupt
 * reached it, has completed, unless its answer is known to be wrong.
 */
export class TurnRun implements TurnEvents {
  readonly #options: TurnRunOptions;
  readonly #clock: TurnClock;
  #stopped: Stop | undefined;
  #kill: NodeJS.Timeout | undefined;
  /** Settles when the process is gone, where it was killed at once. */
  #killed: Promise<void> | undefined;
  readonly #asks = new Set<PendingAsk>();
  /** Once it is stopped or over: by whom what is asked is denied. */
  #deniedBy: AskSettler | undefined;
  /** Aborts when it is stopped or over. */
  readonly #over = new AbortController();

  constructor(options: TurnRunOptions) {
    this.#options = options;
    const { limits, isWarm, leftMs } = options;
    this.#clock = new TurnClock({
      limits,
      leftMs,
      isWarm,
      onTimeout: (error) => this.#onTimeout(error),
    });
  }

  /** How long it stood still, in ms, because a person was asked. */
  get askedMs(): number {
    return this.#clock.heldMs;
  }

  async run(): Promise<AgentTurnEnd> {
    const { process, turn, told } = this.#options;
    const onCancel = () => this.#stop(endOfStop((turn.cancel.reason as WireFailure).error));
    turn.cancel.addEventListener("abort", onCancel, { once: true });
    this.#clock.start();
    try {
      const running = process.run(told, this);
      turn.runsOn(process);
      if (turn.cancel.aborted) onCancel(); // before the listener was there
      const end = await running;
      await this.#killed;
      await turn.allTold;
      if (end.state === "completed" && !this.#stopped?.isFinal) return end;
      return this.#stopped?.end ?? end;
    } finally {
      this.#deny("agent");
      this.#clock.stop();
      clearTimeout(this.#kill);
      turn.runsOn(undefined);
      turn.cancel.removeEventListener("abort", onCancel);
    }
  }

  onStart(): void {
    this.#options.turn.start();
  }

  onText(text: string): void {
    this.#answer({ kind: "text", text });
  }

  onToolCall(call: ToolCallDelta): void {
    this.#answer({ kind: "tool_call", call });
  }

  onSteered(message: string): void {
    this.#options.turn.steered(message);
  }

  onNote(text: string): void {
    this.#options.turn.remark({ kind: "note", text });
  }

  onAsk(ask: AskRequest): PendingAsk {
    const pending = this.#options.turn.ask(ask);
    this.#asks.add(pending);
    if (this.#deniedBy !== undefined) pending.withdraw(this.#deniedBy);
    return { verdict: this.#verdictOn(pending), withdraw: (by) => pending.withdraw(by) };
  }

  async onFile(attachment: Attachment, instead: (problem: string) => string): Promise<string | undefined> {
    const { turn } = this.#options;
    const { problem, tooLong } = await turn.attach(attachment, instead, this.#over.signal);
    if (tooLong !== undefined) this.#stop(endOfStop(tooLong), true);
    return problem;
  }

  onReasoning(text: string): void {
    this.#options.turn.remark({ kind: "reasoning", text });
  }

  onLife(pauseMs = 0): void {
    this.#clock.noteLife(pauseMs);
  }

  onStage(stage: TurnStage): void {
    this.#clock.enter(stage);
  }

  onHopeless(error: WireError): void {
    this.#stop(endOfStop(error), true);
  }

  onAccountHeld(untilMs: number): void {
    this.#options.onAccountHeld(untilMs);
  }

  /** Nobody is to be hurried by a deadline but the ask's own. */
  async #verdictOn(pending: PendingAsk): Promise<AskVerdict> {
    this.#clock.hold();
    try {
      return await pending.verdict;
    } finally {
      this.#asks.delete(pending);
      this.#clock.release();
    }
  }

  #deny(by: AskSettler): void {
    this.#deniedBy ??= by;
    for (const pending of this.#asks) pending.withdraw(by);
    this.#over.abort();
  }

  /** Of an answer that is known to be wrong no more is told. */
  #answer(event: AnswerEvent): void {
    if (this.#stopped?.isFinal === true) return;
    const tooLong = this.#options.turn.answer(event);
    if (tooLong !== undefined) this.#stop(endOfStop(tooLong), true);
  }

  /** Where there was no life there is nothing to interrupt: its process would be as dead to the next turn. */
  #onTimeout(error: WireError): void {
    this.#stop(endOfStop(error));
    if (error.code === "start_timeout")
      this.#killed = this.#options.process.kill({ code: "unresponsive", message: error.message });
  }

  #stop(end: TurnEnd, isFinal = false): void {
    if (this.#stopped !== undefined) {
      this.#stopped = { end: this.#stopped.end, isFinal: isFinal || this.#stopped.isFinal };
      return;
    }
    this.#stopped = { end, isFinal };
    const { process, limits } = this.#options;
    process.interrupt();
    this.#deny(settlerOf(end)); // what is denied after it must not make the agent go on
    const reason = { code: "unresponsive", message: "it did not stop when interrupted" };
    this.#kill = setTimeout(() => void process.kill(reason), limits.interruptMs);
  }
}

function settlerOf({ state }: TurnEnd): AskSettler {
  if (state === "cancelled") return "cancelled";
  return state === "interrupted" ? "drain" : "agent";
}
