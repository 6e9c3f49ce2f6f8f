import { WireFailure } from "@synthesis/protocol";
import type { CloseReason } from "../close-reason.ts";
import { sleep, withDeadline } from "../deadline.ts";
import type { Logger } from "../logger.ts";
import type { ForkedChild } from "./forked-child.ts";
import { RestartBudget, type RestartLimits } from "./restart-budget.ts";

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

/** starting: forked, not ready. serving: ready. pausing: dead, the next one waits for its backoff. closed: for good. */
type KeptChildState = "starting" | "serving" | "pausing" | "closed";

/** How long it must serve for its earlier deaths to be forgotten: one that dies as soon as it is ready is not mended. */
const STEADY_MS = 1_000;
const RETRY_AFTER_MS = 5_000;

/** A process that is kept running: forked, watched, and forked again when it dies, within its restart budget. */
export class KeptChild {
  readonly #options: KeptChildOptions;
  readonly #budget: RestartBudget;
  readonly #stop = new AbortController();
  readonly #ended: Promise<void>;
  #state: KeptChildState = "starting";
  #child: ForkedChild;
  /** Resolves when the current or next generation serves; rejects when it is closed before. */
  #serving = pendingService();
  #restarts = 0;
  /** Runs while it serves, till that counts. */
  #steady: NodeJS.Timeout | undefined;

  constructor(options: KeptChildOptions) {
    this.#options = options;
    this.#budget = new RestartBudget(options.limits);
    this.#child = options.fork();
    this.#ended = this.#keep();
  }

  get state(): KeptChildState {
    return this.#state;
  }

  get pid(): number | undefined {
    return this.#state === "serving" || this.#state === "starting" ? this.#child.pid : undefined;
  }

  get restarts(): number {
    return this.#restarts;
  }

  get child(): ForkedChild {
    return this.#child;
  }

  /**
   * Resolves when it serves. Rejects with `worker_unavailable` when it does not in time, or keeps dying, and
   * with `shutting_down` when it is closed.
   */
  async whenServing(): Promise<void> {
    const { title, limits } = this.#options;
    const { startMs } = limits;
    if (this.#state === "closed") throw this.#stopped();
    if (this.#state !== "serving" && this.#budget.isSpent) throw this.#failing();
    await withDeadline(this.#serving.promise, startMs, `${title} did not start`).catch((cause: unknown) => {
      if (cause instanceof WireFailure) throw cause;
      const message = `${title} did not start within ${startMs} ms`;
      throw new WireFailure("worker_unavailable", message, { retryAfterMs: RETRY_AFTER_MS, cause });
    });
  }

  /** Ends it for good. */
  async close(reason: CloseReason): Promise<void> {
    this.#state = "closed";
    this.#stop.abort();
    this.#serving.reject(this.#stopped());
    await this.#child.close(reason);
    await this.#ended;
  }

  /** One generation after the other, until closed. */
  async #keep(): Promise<void> {
    const { log, title } = this.#options;
    while (!this.#stop.signal.aborted) {
      this.#child.ready.then(
        () => this.#serve(),
        () => {},
      );
      const reason = await this.#child.closed;
      clearTimeout(this.#steady);
      if (this.#state === "serving") this.#serving = pendingService();
      this.#options.onGone(reason);
      if (this.#stop.signal.aborted) return;
      this.#state = "pausing";
      const delayMs = this.#budget.nextDelayMs();
      if (this.#budget.isSpent) {
        this.#serving.reject(this.#failing()); // who waits is not kept waiting till the start's deadline
        this.#serving = pendingService();
      }
      log.warn("child.restarting", { title, reason: reason.message, delayMs: Math.round(delayMs) });
      await sleep(delayMs, this.#stop.signal);
      if (this.#stop.signal.aborted) return;
      this.#state = "starting";
      this.#restarts++;
      this.#child = this.#options.fork();
    }
  }

  #serve(): void {
    if (this.#state !== "starting") return;
    this.#state = "serving";
    this.#steady = setTimeout(() => this.#budget.refill(), STEADY_MS);
    this.#serving.resolve();
  }

  #failing(): WireFailure {
    const message = `${this.#options.title} keeps dying at its start: see the log for why`;
    return new WireFailure("worker_unavailable", message, { retryAfterMs: RETRY_AFTER_MS });
  }

  #stopped(): WireFailure {
    const message = `${this.#options.title} is being stopped`;
    return new WireFailure("shutting_down", message, { retryAfterMs: RETRY_AFTER_MS });
  }
}

function pendingService(): PromiseWithResolvers<void> {
  const service = Promise.withResolvers<void>();
  service.promise.catch(() => {}); // whoever waits hears of it; nobody has to
  return service;
}
