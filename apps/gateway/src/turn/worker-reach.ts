import { abortable, sleep } from "@synthesis/kit";
import { WireFailure } from "@synthesis/protocol";
import type { WorkerLink } from "../worker/worker-link.ts";
import { UNREACHABLE } from "./turn-failures.ts";

export interface WorkerReachOptions {
  /** The link to the turn's worker; after `drained`, the link to the generation that follows. */
  readonly connect: (drained?: WorkerLink) => Promise<WorkerLink>;
  /** How long a worker may take to come back, in ms. */
  readonly startMs: number;
  /** Aborts when the gateway closes. */
  readonly closing: AbortSignal;
}

const PAUSE_MS = 200;
/** So often a link may be lost without any news of the turn in between. */
const MAX_LOSSES = 10;

/** How a turn comes to its worker, and again to the next generation of it. */
export class WorkerReach {
  readonly #options: WorkerReachOptions;
  /** How often the link was lost since the last news of the turn, and what that was. */
  #losses = { count: 0, latestSeq: 0 };

  constructor(options: WorkerReachOptions) {
    this.#options = options;
  }

  /** A worker that is being started again is waited for as long as the signal allows. Rejects with its reason. */
  async first(signal: AbortSignal, drained?: WorkerLink): Promise<WorkerLink> {
    for (;;) {
      try {
        return await abortable(this.#options.connect(drained), signal);
      } catch (error) {
        signal.throwIfAborted();
        if (!isPassing(error)) throw error;
        await sleep(PAUSE_MS, signal);
      }
    }
  }

  /**
   * The link to the worker that may run the turn, within `startMs` after a link was lost. `latestSeq`: the last
   * event that came of it. Rejects as {@link UNREACHABLE}.
   */
  async again(latestSeq: number): Promise<WorkerLink> {
    const { closing, startMs } = this.#options;
    if (latestSeq > this.#losses.latestSeq) this.#losses = { count: 0, latestSeq };
    if (this.#losses.count++ >= MAX_LOSSES) throw WireFailure.from(UNREACHABLE);
    if (this.#losses.count > 2) await sleep(PAUSE_MS, closing);
    const late = new AbortController();
    const timer = setTimeout(() => late.abort(WireFailure.from(UNREACHABLE)), startMs);
    try {
      return await this.first(AbortSignal.any([closing, late.signal]));
    } finally {
      clearTimeout(timer);
    }
  }
}

/** Whether the worker is only being started again. */
export function isPassing(error: unknown): boolean {
  if (!(error instanceof WireFailure)) return false;
  return error.error.code === "worker_unavailable" && error.error.retryAfterMs !== undefined;
}
