import { abortable } from "@synthesis/kit";
import { WireFailure } from "@synthesis/protocol";

/** A place in a session's queue. */
export interface Ticket {
  /** How many stood before it when it came. */
  readonly position: number;
  /** Resolves when it is first; rejects with the signal's reason if that aborts before. */
  whenFirst(signal: AbortSignal): Promise<void>;
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
  #waiting = 0;

  constructor(limits: QueueLimits) {
    this.#limits = limits;
  }

  /** Sessions with a turn, and turns that wait. */
  get counts(): { readonly sessions: number; readonly waiting: number } {
    return { sessions: this.#queues.size, waiting: this.#waiting };
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
    if (position > 0) this.#waiting++;
    return {
      position,
      whenFirst: (signal) => abortable(turn.promise, signal),
      leave: () => this.#leave(session, queue, turn),
    };
  }

  #checkRoom(position: number): void {
    const { sessionQueue, totalQueue } = this.#limits;
    const retry = { retryAfterMs: RETRY_AFTER_MS };
    if (position > sessionQueue) {
      throw new WireFailure(
        "queue_full",
        `${sessionQueue} turns of this session are waiting already (limits.sessionQueue)`,
        retry,
      );
    }
    if (position > 0 && this.#waiting >= totalQueue) {
      throw new WireFailure(
        "queue_full",
        `${totalQueue} turns are waiting already (limits.totalQueue)`,
        retry,
      );
    }
  }

  #leave(session: string, queue: PromiseWithResolvers<void>[], turn: PromiseWithResolvers<void>): void {
    const index = queue.indexOf(turn);
    if (index === -1) return;
    queue.splice(index, 1);
    if (queue.length > 0 || index > 0) this.#waiting--;
    if (queue.length === 0) this.#queues.delete(session);
    else if (index === 0) queue[0]?.resolve();
  }
}
