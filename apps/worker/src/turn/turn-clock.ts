import type { Limits } from "@synthesis/config";
import type { WireError } from "@synthesis/protocol";
import type { TurnStage } from "../drivers/agent-process.ts";
import { StageWatchdog } from "./stage-watchdog.ts";

export interface TurnClockOptions {
  readonly limits: Limits;
  /** What is left of `limits.turnMs`, after earlier attempts. */
  readonly leftMs: number;
  /** Whether the process has shown life before: then its start is over. */
  readonly isWarm: boolean;
  /** Called at each silence that is too long, and once when the total is over. */
  readonly onTimeout: (error: WireError) => void;
}

/** The deadlines of one turn on one process: one of silence for each stage, and one in total. */
export class TurnClock {
  readonly #options: TurnClockOptions;
  readonly #watchdog: StageWatchdog;
  #total: NodeJS.Timeout | undefined;
  #leftMs: number;
  /** Since when the total runs, or stands still. */
  #since = performance.now();
  /** What it stands still for. */
  #holds = 0;
  #heldMs = 0;
  #state: "running" | "stopped" = "running";

  constructor(options: TurnClockOptions) {
    const { limits, isWarm, leftMs } = options;
    this.#options = options;
    this.#leftMs = leftMs;
    this.#watchdog = new StageWatchdog(limits, isWarm, (error) => options.onTimeout(error));
  }

  /** How long it stood still, in ms. */
  get heldMs(): number {
    return this.#heldMs;
  }

  start(): void {
    this.#runTotal();
    this.#watchdog.start();
  }

  /** A sign of life, after which the agent may be silent for `pauseMs` and the stage's limit. */
  noteLife(pauseMs: number): void {
    this.#watchdog.noteLife(pauseMs);
  }

  enter(stage: TurnStage): void {
    this.#watchdog.enter(stage);
  }

  /** Stands still till {@link release} was called as often. */
  hold(): void {
    if (this.#holds++ > 0) return;
    clearTimeout(this.#total);
    this.#watchdog.hold();
    const now = performance.now();
    this.#leftMs -= now - this.#since;
    this.#since = now;
  }

  release(): void {
    if (--this.#holds > 0) return;
    this.#heldMs += performance.now() - this.#since;
    if (this.#state === "stopped") return;
    this.#runTotal();
    this.#watchdog.goOn();
  }

  /** For good. */
  stop(): void {
    this.#state = "stopped";
    clearTimeout(this.#total);
    this.#watchdog.stop();
  }

  #runTotal(): void {
    this.#since = performance.now();
    const { limits, onTimeout } = this.#options;
    this.#total = setTimeout(() => onTimeout(tookTooLong(limits)), this.#leftMs);
  }
}

function tookTooLong({ turnMs }: Limits): WireError {
  const message = `the turn took longer than ${turnMs} ms (limits.turnMs): it was stopped`;
  return { code: "turn_timeout", message };
}
