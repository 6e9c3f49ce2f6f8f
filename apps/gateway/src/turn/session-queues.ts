import { abortable } from "@synthesis/kit";
import { WireFailure } from "@synthesis/protocol";

/** A place in a session's queue. */
export interface Ticket {
  /** How many stood before it when it came. */
  readonly position: number;
  /** Resolves when it is first; rejects with the signal's reason if that aborts before. */
  whenFirst(signal: AbortSignal): Promise<void>;
  /** Its turn runs now: it is no longer one that waits. */
  accepted(): void;
  /** Gives the place up, wherever it is; the next one moves up. Idempotent. */
  leave(): void;
}

export interface QueueLimits {
  readonly sessionQueue: number;
  readonly totalQueue: number;
}

/** A hint for whoever finds a queue full; the truth depends on the turns before it. */
const RETRY_AFTER_MS = 5_000;

/** One FIFO per session: a turn at a time, bounded, nothing left of a session that has no turns. */
export class SessionQueues {
  readonly #limits: QueueLimits;
  readonly #queues = new Map<string, PromiseWithResolvers<void>[]>();
  /** Every turn that no worker has accepted: behind another of its session, or before a free process. */
  readonly #waiting = new Set<PromiseWithResolvers<void>>();

  constructor(limits: QueueLimits) {
    this.#limits = limits;
  }

  /** Sessions with a turn, and turns that wait. */
  get counts(): { readonly sessions: number; readonly waiting: number } {
    return { sessions: this.#queues.size, waiting: this.#waiting.size };
  }

  isBusy(session: string): boolean {
    return this.#queues.has(session);
  }

  /** Throws `queue_full`. */
  enter(session: string): Ticket {
    const queue = this.#queues.get(session) ?? [];
    const position = queue.length;
    this.#checkRoom(position);
    const turn = Promise.withResolvers<void>();
    if (queue.push(turn) === 1) turn.resolve();
    this.#queues.set(session, queue);
    this.#waiting.add(turn);
    return {
      position,
      whenFirst: (signal) => abortable(turn.promise, signal),
      accepted: () => this.#waiting.delete(turn),
      leave: () => this.#leave(session, queue, turn),
    };
  }

  /** Those that wait behind another turn of this session wait no longer: they are rejected with `reason`. */
  dismiss(session: string, reason: WireFailure): void {
    for (const waiting of this.#queues.get(session) ?? []) waiting.reject(reason); // the first was resolved
  }

  #checkRoom(position: number): void {
    const { sessionQueue, totalQueue } = this.#limits;
    const retry = { retryAfterMs: RETRY_AFTER_MS };
    if (position > sessionQueue) {
      const message = `${sessionQueue} turns of this session are waiting already (limits.sessionQueue)`;
      throw new WireFailure("queue_full", message, retry);
    }
    if (this.#waiting.size >= totalQueue) {
      const message = `${totalQueue} turns are waiting already (limits.totalQueue)`;
      throw new WireFailure("queue_full", message, retry);
    }
  }

  #leave(session: string, queue: PromiseWithResolvers<void>[], turn: PromiseWithResolvers<void>): void {
    this.#waiting.delete(turn);
    const index = queue.indexOf(turn);
    if (index === -1) return;
    queue.splice(index, 1);
    if (queue.length === 0) this.#queues.delete(session);
    else if (index === 0) queue[0]?.resolve();
  }
}
