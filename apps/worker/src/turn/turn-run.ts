import type { Limits } from "@synthesis/config";
import type {
  AskSettler,
  AskVerdict,
  ToolCallDelta,
  TurnEnd,
  WireError,
  WireFailure,
} from "@synthesis/protocol";
import type {
  AgentProcess,
  AgentTurn,
  AgentTurnEnd,
  AskRequest,
  TurnEvents,
  TurnStage,
} from "../drivers/agent-process.ts";
import { endOfStop } from "./end-of-stop.ts";
import { StageWatchdog } from "./stage-watchdog.ts";
import type { TurnOutlet } from "./turn-outlet.ts";

export interface TurnRunOptions {
  readonly process: AgentProcess;
  readonly turn: Pick<
    TurnOutlet,
    "cancel" | "start" | "text" | "reasoning" | "toolCall" | "note" | "runsOn" | "steered" | "ask"
  >;
  /** What the process is told of it. */
  readonly asked: AgentTurn;
  readonly limits: Limits;
  /** What is left of `limits.turnMs`, after earlier attempts. */
  readonly leftMs: number;
  /** Whether the process has shown life before: then its start is over. */
  readonly isWarm: boolean;
  /** The agent's account may not be used before `untilMs` (epoch ms). */
  onAccountHeld(untilMs: number): void;
}

/**
 * One turn on one process, under its deadlines: one of silence for each stage, and one in total; all of them stand
 * still while a person is asked. The first cause to stop it wins; it is interrupted, then killed if it does not stop. A turn that completes all the same,
 * before the interrupt reached it, has completed, unless its answer is known to be wrong.
 */
export class TurnRun implements TurnEvents {
  readonly #options: TurnRunOptions;
  readonly #watchdog: StageWatchdog;
  /** Set once: why the turn is being stopped, and whether that stands even if it completes all the same. */
  #stopped: { readonly verdict: TurnEnd; readonly isFinal: boolean } | undefined;
  #kill: NodeJS.Timeout | undefined;
  #answerBytes = 0;
  /** Aborts, with by whom what is asked is denied then, when it is stopped or over. */
  readonly #over = new AbortController();
  #openAsks = 0;
  #total: NodeJS.Timeout | undefined;
  #leftMs: number;
  /** Since when the total runs, or stands still. */
  #since = performance.now();
  #askedMs = 0;

  constructor(options: TurnRunOptions) {
    this.#options = options;
    const { limits, isWarm, leftMs } = options;
    this.#leftMs = leftMs;
    this.#watchdog = new StageWatchdog(limits, isWarm, (error) => this.#stop(endOfStop(error)));
  }

  /** How long it stood still, in ms, because a person was asked. */
  get askedMs(): number {
    return this.#askedMs;
  }

  async run(): Promise<AgentTurnEnd> {
    const { process, turn, asked } = this.#options;
    this.#runTotal();
    const onCancel = () => this.#stop(endOfStop((turn.cancel.reason as WireFailure).error));
    turn.cancel.addEventListener("abort", onCancel, { once: true });
    this.#watchdog.start();
    try {
      const running = process.run(asked, this);
      turn.runsOn(process);
      if (turn.cancel.aborted) onCancel(); // before the listener was there
      const end = await running;
      if (end.state === "completed" && !this.#stopped?.isFinal) return end;
      return this.#stopped?.verdict ?? end;
    } finally {
      this.#over.abort("agent" satisfies AskSettler);
      clearTimeout(this.#total);
      clearTimeout(this.#kill);
      this.#watchdog.stop();
      turn.runsOn(undefined);
      turn.cancel.removeEventListener("abort", onCancel);
    }
  }

  onStart(): void {
    this.#options.turn.start();
  }

  onText(text: string): void {
    if (this.#isWithin(text)) this.#options.turn.text(text);
  }

  onToolCall(call: ToolCallDelta): void {
    if (this.#isWithin(call.arguments)) this.#options.turn.toolCall(call);
  }

  onSteered(message: string): void {
    this.#options.turn.steered(message);
  }

  onNote(text: string): void {
    this.#options.turn.note(text);
  }

  /** Nobody is to be hurried by a deadline but the ask's own. */
  async onAsk(ask: AskRequest, withdrawn: AbortSignal): Promise<AskVerdict> {
    if (this.#openAsks++ === 0) this.#standStill();
    try {
      return await this.#options.turn.ask(ask, AbortSignal.any([withdrawn, this.#over.signal]));
    } finally {
      if (--this.#openAsks === 0) this.#goOn();
    }
  }

  onReasoning(text: string): void {
    this.#options.turn.reasoning(text);
  }

  onLife(pauseMs = 0): void {
    this.#watchdog.noteLife(pauseMs);
  }

  onStage(stage: TurnStage): void {
    this.#watchdog.enter(stage);
  }

  onHopeless(error: WireError): void {
    this.#stop(endOfStop(error), true);
  }

  onAccountHeld(untilMs: number): void {
    this.#options.onAccountHeld(untilMs);
  }

  #runTotal(): void {
    this.#since = performance.now();
    const { limits } = this.#options;
    this.#total = setTimeout(() => this.#stop(endOfStop(tookTooLong(limits))), this.#leftMs);
  }

  #standStill(): void {
    clearTimeout(this.#total);
    this.#watchdog.hold();
    const now = performance.now();
    this.#leftMs -= now - this.#since;
    this.#since = now;
  }

  #goOn(): void {
    this.#askedMs += performance.now() - this.#since;
    if (this.#over.signal.aborted) return;
    this.#runTotal();
    this.#watchdog.goOn();
  }

  /** Whether more of the answer is handed on; one that is too long is stopped. */
  #isWithin(more: string): boolean {
    const { limits } = this.#options;
    this.#answerBytes += Buffer.byteLength(more);
    if (this.#answerBytes > limits.answerBytes) this.#stop(endOfStop(tooLong(limits)), true);
    return this.#stopped?.isFinal !== true;
  }

  #stop(verdict: TurnEnd, isFinal = false): void {
    if (this.#stopped !== undefined) {
      this.#stopped = { verdict: this.#stopped.verdict, isFinal: isFinal || this.#stopped.isFinal };
      return;
    }
    this.#stopped = { verdict, isFinal };
    const { process, limits } = this.#options;
    process.interrupt();
    this.#over.abort(settlerOf(verdict)); // what is denied after it must not make the agent go on
    const reason = { code: "unresponsive", message: "it did not stop when interrupted" };
    this.#kill = setTimeout(() => void process.kill(reason), limits.interruptMs);
  }
}

function tooLong({ answerBytes }: Limits): WireError {
  const message = `the answer is longer than ${answerBytes} bytes (limits.answerBytes): it was stopped`;
  return { code: "turn_failed", message };
}

function tookTooLong({ turnMs }: Limits): WireError {
  const message = `the turn took longer than ${turnMs} ms (limits.turnMs): it was stopped`;
  return { code: "turn_timeout", message };
}

function settlerOf(verdict: TurnEnd): AskSettler {
  if (verdict.state === "cancelled") return "client_left";
  return verdict.state === "interrupted" ? "drain" : "agent";
}
