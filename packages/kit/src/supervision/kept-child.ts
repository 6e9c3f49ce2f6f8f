import { WireFailure } from "@synthesis/protocol";
import type { CloseReason } from "../close-reason.ts";
import { withDeadline } from "../deadline.ts";
import type { Logger } from "../logger.ts";
import type { ForkedChild } from "./forked-child.ts";
import type { KeptChildState } from "./kept-child-state.ts";
import { Pause } from "./pause.ts";
import { RestartBudget, type RestartLimits } from "./restart-budget.ts";
import { ServingGate } from "./serving-gate.ts";

export interface KeptChildOptions {
  /** What it is, for messages, such as `the worker of workspace "site"`. */
  readonly title: string;
  readonly limits: RestartLimits & { readonly startMs: number };
  readonly log: Logger;
  /** Forks a new generation. */
  fork(): ForkedChild;
  /** A generation is gone, whatever the reason; before the next one is forked. */
  onGone(reason: CloseReason): void;
}

/** How long it must serve for its deaths to be forgotten: one that dies as soon as it is ready is not mended. */
const STEADY_MS = 1_000;
/** When somebody who was sent away may come again, where no restart is due before, in ms. */
const RETRY_AFTER_MS = 5_000;
const MIN_RETRY_AFTER_MS = 1_000;

/** A process that is kept running: forked, watched, and forked again when it dies, within its restart budget. */
export class KeptChild {
  readonly #options: KeptChildOptions;
  readonly #budget: RestartBudget;
  readonly #gate = new ServingGate();
  readonly #stop = new AbortController();
  readonly #ended: Promise<void>;
  #state: Exclude<KeptChildState, "unresponsive"> = "starting";
  #child: ForkedChild;
  #restarts = 0;
  /** Times of `performance.now()`: since when this generation serves, and till when it may drain. */
  #servesSince = Infinity;
  #drainsUntil = 0;
  readonly #pause = new Pause();
  #replacing: Promise<void> | undefined;

  constructor(options: KeptChildOptions) {
    this.#options = options;
    this.#budget = new RestartBudget(options.limits);
    this.#child = options.fork();
    this.#ended = this.#keep();
  }

  get state(): KeptChildState {
    return this.#state === "serving" && !this.#child.isResponsive ? "unresponsive" : this.#state;
  }

  get pid(): number | undefined {
    return this.#isAlive ? this.#child.pid : undefined;
  }

  /** How often it died and was started again. */
  get restarts(): number {
    return this.#restarts;
  }

  /** In how many ms it is started again; undefined while it is not dead. */
  get nextAttemptMs(): number | undefined {
    return this.#state === "pausing" || this.#state === "failing" ? this.#pause.remainingMs : undefined;
  }

  get child(): ForkedChild {
    return this.#child;
  }

  /**
   * Resolves when it serves; one that drains, when its successor does. Rejects with `worker_unavailable` when
   * it does not in time, or keeps dying (then at once), and with `shutting_down` when it is closed.
   */
  async whenServing(): Promise<void> {
    const { title, limits } = this.#options;
    if (this.#stop.signal.aborted) throw this.#stopped();
    if (this.#budget.isSpent && this.#state !== "serving") throw this.#failing();
    const waitMs = limits.startMs + Math.max(0, this.#drainsUntil - performance.now());
    await withDeadline(this.#gate.entry(), waitMs, `${title} did not start`).catch((cause: unknown) => {
      if (cause instanceof WireFailure) throw cause;
      const message = `${title} did not start within ${Math.round(waitMs)} ms`;
      throw new WireFailure("worker_unavailable", message, { retryAfterMs: RETRY_AFTER_MS, cause });
    });
  }

  /**
   * Replaces it by a new generation, which is forked when the old one has drained and is gone, at once where
   * none runs; resolves when that serves. Its earlier deaths are forgotten. Called again meanwhile it is the
   * same replacement, and the earliest end of the drain counts. Rejects as `whenServing` does.
   */
  async restart(reason: CloseReason, drainMs: number): Promise<void> {
    if (this.#stop.signal.aborted) throw this.#stopped(); // what runs in it keeps its time
    if (this.#replacing === undefined) {
      this.#replacing = this.#replace(reason, drainMs).finally(() => (this.#replacing = undefined));
    } else if (this.#state === "draining") void this.#child.close(reason, drainMs);
    await this.#replacing;
  }

  /** Ends it for good, with `drainMs` for what runs. Idempotent; the earliest end counts. */
  async close(reason: CloseReason, drainMs = 0): Promise<void> {
    this.#stop.abort();
    this.#pause.end();
    this.#gate.dismiss(this.#stopped());
    if (this.#isAlive) this.#state = "draining";
    await this.#child.close(reason, drainMs);
    await this.#ended;
  }

  get #isAlive(): boolean {
    return this.#state === "starting" || this.#state === "serving" || this.#state === "draining";
  }

  async #replace(reason: CloseReason, drainMs: number): Promise<void> {
    this.#budget.refill();
    if (this.#isAlive) {
      // One that has not served has nothing to drain.
      const mayDrainMs = this.#state === "serving" ? drainMs : 0;
      this.#drainsUntil = performance.now() + mayDrainMs;
      this.#state = "draining";
      this.#gate.shut();
      void this.#child.close(reason, mayDrainMs);
    } else this.#pause.end();
    await this.whenServing();
  }

  /** One generation after the other, until closed. */
  async #keep(): Promise<void> {
    while (!this.#stop.signal.aborted) {
      this.#child.ready.then(
        () => this.#serve(),
        () => {},
      );
      const reason = await this.#child.closed;
      this.#gate.shut();
      this.#options.onGone(reason);
      if (this.#state !== "draining") await this.#pauseAfterDeath(reason);
      if (this.#stop.signal.aborted) break;
      this.#state = "starting";
      this.#servesSince = Infinity;
      this.#child = this.#options.fork();
    }
    this.#state = "closed";
  }

  #serve(): void {
    if (this.#state !== "starting") return;
    this.#state = "serving";
    this.#servesSince = performance.now();
    this.#gate.open();
  }

  async #pauseAfterDeath(reason: CloseReason): Promise<void> {
    const { log, title } = this.#options;
    const wasSteady = performance.now() - this.#servesSince >= STEADY_MS;
    if (wasSteady) this.#budget.refill();
    const delayMs = wasSteady ? 0 : this.#budget.nextDelayMs();
    this.#restarts++;
    this.#state = this.#budget.isSpent ? "failing" : "pausing";
    log.warn("child.restarting", { title, reason: reason.message, delayMs: Math.round(delayMs) });
    const paused = this.#pause.take(delayMs);
    // Who waits is not kept waiting till the start's deadline.
    if (this.#state === "failing") this.#gate.dismiss(this.#failing());
    await paused;
  }

  #failing(): WireFailure {
    const message = `${this.#options.title} keeps dying at its start: see the log for why`;
    const retryAfterMs = Math.max(MIN_RETRY_AFTER_MS, this.#pause.remainingMs);
    return new WireFailure("worker_unavailable", message, { retryAfterMs });
  }

  #stopped(): WireFailure {
    const message = `${this.#options.title} is being stopped`;
    return new WireFailure("shutting_down", message, { retryAfterMs: RETRY_AFTER_MS });
  }
}
