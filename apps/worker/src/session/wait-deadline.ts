import { WireFailure } from "@synthesis/protocol";

/** How long a turn may wait for its session and for an agent process. */
export class WaitDeadline implements Disposable {
  /** Aborts with `queue_timeout` when that is over. */
  readonly signal: AbortSignal;
  readonly #timer: NodeJS.Timeout;

  constructor(queueMs: number) {
    const late = new AbortController();
    const message = `neither its session nor an agent process became free within ${queueMs} ms (limits.queueMs, limits.processesPerWorkspace)`;
    const failure = new WireFailure("queue_timeout", message, { retryAfterMs: 5_000 });
    this.signal = late.signal;
    this.#timer = setTimeout(() => late.abort(failure), queueMs);
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
  }
}
