import type { Limits } from "@synthesis/config";
import type { WireError } from "@synthesis/protocol";
import type { TurnStage } from "../drivers/agent-process.ts";

/** What a turn waits for; `start`: its process has shown no life yet. */
type Stage = { readonly name: "start" } | TurnStage;

/** Longest delay of Node's timers; a longer one would fire at once. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/** Watches the silence of one turn's agent, each stage under its own limit. */
export class StageWatchdog {
  readonly #limits: Limits;
  readonly #onTimeout: (error: WireError) => void;
  #stage: Stage;
  #timer: NodeJS.Timeout | undefined;
  #state: "watching" | "held" = "watching";

  /** `isWarm`: the process has shown life before. `onTimeout` is called at each silence that is too long. */
  constructor(limits: Limits, isWarm: boolean, onTimeout: (error: WireError) => void) {
    this.#limits = limits;
    this.#onTimeout = onTimeout;
    this.#stage = { name: isWarm ? "first_byte" : "start" };
  }

  start(): void {
    this.#arm(0);
  }

  /** A sign of life, after which the agent may be silent for `pauseMs` and the stage's limit. */
  noteLife(pauseMs: number): void {
    if (this.#stage.name === "start") this.#stage = { name: "first_byte" };
    this.#arm(pauseMs);
  }

  enter(stage: TurnStage): void {
    this.#stage = stage;
    this.#arm(0);
  }

  /** Silence is no matter any more, till {@link goOn}. */
  hold(): void {
    this.#state = "held";
    clearTimeout(this.#timer);
  }

  goOn(): void {
    this.#state = "watching";
    this.#arm(0);
  }

  stop(): void {
    clearTimeout(this.#timer);
  }

  #arm(pauseMs: number): void {
    clearTimeout(this.#timer);
    if (this.#state === "held") return;
    const { ms, error } = silenceOf(this.#stage, this.#limits);
    this.#timer = setTimeout(() => this.#onTimeout(error), Math.min(ms + pauseMs, MAX_TIMER_MS));
  }
}

function silenceOf(stage: Stage, limits: Limits): { readonly ms: number; readonly error: WireError } {
  const { startMs, firstByteMs, stallMs, toolMs } = limits;
  const after = (ms: number, limit: string) => `${ms} ms (limits.${limit}): its turn was stopped`;
  switch (stage.name) {
    case "start": {
      const message = `the agent's process started, but showed no life within ${after(startMs, "startMs")}`;
      return { ms: startMs, error: { code: "start_timeout", message } };
    }
    case "first_byte": {
      const message = `the agent waited for the first byte of its model's answer, and nothing came within ${after(firstByteMs, "firstByteMs")}`;
      return { ms: firstByteMs, error: { code: "first_byte_timeout", message } };
    }
    case "answer": {
      const message = `the agent fell silent within its answer for ${after(stallMs, "stallMs")}`;
      return { ms: stallMs, error: { code: "stall_timeout", message } };
    }
    case "tool": {
      const message = `the agent waited for its tool ${stage.tool}, which was silent for ${after(toolMs, "toolMs")}`;
      return { ms: toolMs, error: { code: "tool_timeout", message } };
    }
  }
}
