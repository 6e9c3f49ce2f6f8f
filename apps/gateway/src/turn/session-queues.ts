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

/** A turn in its session's queue. */
interface Place {
  readonly turn: string;
  readonly first: PromiseWithResolvers<void>;
}

/** A hint for whoever finds a queue full; the truth depends on the turns before it. */
const RETRY_AFTER_MS = 5_000;

/** One FIFO per session: a turn at a time, bounded, nothing left of a session that has no turns. */
export class SessionQueues {
  readonly #limits: QueueLimits;
  readonly #queues = new Map<string, Place[]>();
  /** Every turn that no worker has accepted: behind another of its session, or before a free process. */
  readonly #waiting = new Set<Place>();

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

  /** The turn whose time it is. */
  first(session: string): string | undefined {
    return this.#queues.get(session)?.[0]?.turn;
  }

  /** Gives a turn a place: the last one, or the next one after the turn whose time it is. Throws `queue_full`. */
  enter(session: string, turn: string, at: "last" | "next" = "last"): Ticket {
    const queue = this.#queues.get(session) ?? [];
    this.#checkRoom(queue.length);
    const position = at === "next" ? Math.min(1, queue.length) : queue.length;
    const place: Place = { turn, first: Promise.withResolvers() };
    queue.splice(position, 0, place);
    if (position === 0) place.first.resolve();
    place.first.promise.catch(() => {}); // it may be dismissed before it is asked
    this.#queues.set(session, queue);
    this.#waiting.add(place);
    return {
      position,
      whenFirst: (signal) => abortable(place.first.promise, signal),
      accepted: () => this.#waiting.delete(place),
      leave: () => this.#leave(session, queue, place),
    };
  }

  /** Those that wait behind another turn of this session wait no longer: they are rejected with `reason`. */
  dismiss(session: string, reason: WireFailure): void {
    for (const { first } of this.#queues.get(session) ?? []) first.reject(reason); // that of the first was resolved
  }

  #checkRoom(length: number): void {
    const { sessionQueue, totalQueue } = this.#limits;
    const retry = { retryAfterMs: RETRY_AFTER_MS };
    if (length > sessionQueue) {
      const message = `${sessionQueue} turns of this session are waiting already (limits.sessionQueue)`;
      throw new WireFailure("queue_full", message, retry);
    }
    if (this.#waiting.size >= totalQueue) {
      const message = `${totalQueue} turns are waiting already (limits.totalQueue)`;
      throw new WireFailure("queue_full", message, retry);
    }
  }

  #leave(session: string, queue: Place[], place: Place): void {
    this.#waiting.delete(place);
    const index = queue.indexOf(place);
    if (index === -1) return;
    queue.splice(index, 1);
    if (queue.length === 0) this.#queues.delete(session);
    else if (index === 0) queue[0]?.first.resolve();
  }
}
