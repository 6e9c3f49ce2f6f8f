import { abortable, sleep, type CloseReason } from "@synthesis/kit";
import type { AgentProcess } from "../drivers/agent-process.ts";
import type { Slots } from "./slots.ts";

export interface WarmProcessOptions {
  readonly slots: Slots;
  /** For those that start: more at once than there are cores would only slow each other, and all else, down. */
  readonly starts: Slots;
  /** How long it is kept without a turn, in ms. */
  readonly idleMs: number;
  /** It came, went, or became idle. */
  onChange(): void;
}

/** How long one that says nothing may keep others from starting, in ms. */
const LONGEST_START_MS = 2_000;

/**
 * cold: none. opening: a slot is waited for, or held for a start. running: a turn is on it. idle: warm.
 * closing: it is being ended.
 */
type State =
  | { readonly name: "cold" | "opening" }
  | { readonly name: "running" | "closing"; readonly process: AgentProcess }
  | {
      readonly name: "idle";
      readonly process: AgentProcess;
      readonly since: number;
      readonly eviction: NodeJS.Timeout;
    };

/** The process that keeps one session warm: at most one at a time, each in a slot, none once it has been idle too long. */
export class WarmProcess {
  readonly #options: WarmProcessOptions;
  #state: State = { name: "cold" };
  #openedAt = 0;

  constructor(options: WarmProcessOptions) {
    this.#options = options;
  }

  /** The live process, if any. */
  get current(): AgentProcess | undefined {
    return "process" in this.#state ? this.#state.process : undefined;
  }

  /** Whether the next turn would find it alive. */
  get isWarm(): boolean {
    const { name } = this.#state;
    return (name === "idle" || name === "running") && this.current?.isAlive === true;
  }

  get isCold(): boolean {
    return this.#state.name === "cold";
  }

  /** How long it has been there, in ms. */
  get ageMs(): number {
    return performance.now() - this.#openedAt;
  }

  /** Since when it has been idle (epoch ms). */
  get idleSince(): number | undefined {
    return this.#state.name === "idle" ? this.#state.since : undefined;
  }

  /**
   * Takes the idle process for a turn where it `fits`, or else ends it and takes a slot, and then `undefined`:
   * {@link open} is next. One turn at a time calls it. Rejects with the signal's reason when it aborts first.
   */
  async take(
    signal: AbortSignal,
    fits: (process: AgentProcess) => boolean,
  ): Promise<AgentProcess | undefined> {
    signal.throwIfAborted();
    if (this.#state.name === "idle" && !fits(this.#state.process))
      void this.evict({ code: "replaced", message: "the next turn needs another process" });
    const { current } = this;
    // A process that died while idle is found so before its end is complete: a prompt would be lost in it.
    if (current && (this.#state.name === "closing" || !current.isAlive))
      await abortable(current.closed, signal);
    if (this.#state.name === "idle") {
      const { process, eviction } = this.#state;
      clearTimeout(eviction);
      this.#move({ name: "running", process });
      return process;
    }
    this.#move({ name: "opening" });
    const { slots, starts } = this.#options;
    try {
      await slots.acquire(signal);
      await starts.acquire(signal).catch((error: unknown) => {
        slots.release();
        throw error;
      });
    } catch (error) {
      this.#move({ name: "cold" });
      throw error;
    }
    return undefined;
  }

  /** Puts a started process into the slot that was taken, for a turn. */
  open(process: AgentProcess): AgentProcess {
    this.#openedAt = performance.now();
    this.#move({ name: "running", process });
    void process.closed.then(() => this.#gone(process));
    const starting = new AbortController();
    void process.started.then(() => starting.abort());
    void sleep(LONGEST_START_MS, starting.signal).then(() => this.#options.starts.release());
    return process;
  }

  /** The turn is over, or was not begun: the process waits for the next one, an unused slot is given back. */
  rest(): void {
    if (this.#state.name === "opening") {
      this.#options.starts.release();
      this.#options.slots.release();
      this.#move({ name: "cold" });
    }
    if (this.#state.name !== "running") return; // it died within the turn
    const { process } = this.#state;
    const { idleMs } = this.#options;
    const reason = { code: "idle", message: `idle for ${idleMs} ms` };
    const eviction = setTimeout(() => void this.evict(reason), idleMs);
    this.#move({ name: "idle", process, since: Date.now(), eviction });
  }

  /** Ends it if it is idle. */
  async evict(reason: CloseReason): Promise<void> {
    if (this.#state.name !== "idle") return;
    const { process, eviction } = this.#state;
    clearTimeout(eviction);
    this.#move({ name: "closing", process });
    await process.close(reason);
  }

  /** Ends it, whatever it does. */
  async close(reason: CloseReason): Promise<void> {
    if (this.#state.name === "idle") return this.evict(reason);
    await this.current?.kill(reason);
  }

  #gone(process: AgentProcess): void {
    this.#options.slots.release();
    if (this.current !== process) return;
    if (this.#state.name === "idle") clearTimeout(this.#state.eviction);
    this.#move({ name: "cold" });
  }

  #move(state: State): void {
    this.#state = state;
    this.#options.onChange();
  }
}
