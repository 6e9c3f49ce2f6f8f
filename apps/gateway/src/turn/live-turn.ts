import type { Logger } from "@synthesis/kit";
import { WireFailure, type RequestIdentity, type WireError } from "@synthesis/protocol";
import { internalError } from "../http/internal-error.ts";
import type { WorkerLink } from "../worker/worker-link.ts";
import type { AnswerOutput, TurnFacts } from "./answer-output.ts";
import { TurnCourse, type TurnDraft } from "./turn-course.ts";
import { UNREACHABLE } from "./turn-failures.ts";
import { TurnReaders, type TurnReader, type VanishPolicy } from "./turn-readers.ts";

export interface LiveTurnOptions {
  readonly facts: TurnFacts;
  /** The workspace that runs it. */
  readonly workspace: string;
  readonly request: RequestIdentity;
  /** Its client's retries are known as such, and so join it instead of running it twice. */
  readonly retriesJoin: boolean;
  /** Absent: a worker has accepted it. */
  readonly draft?: TurnDraft;
  /** The link to its worker; after `drained`, the link to the generation that follows. */
  readonly connect: (drained?: WorkerLink) => Promise<WorkerLink>;
  readonly limits: { readonly queueMs: number; readonly startMs: number; readonly vanishedMs: number };
  /** Aborts with a `WireFailure` when the gateway closes: clients are told, and the turn goes on without them. */
  readonly closing: AbortSignal;
  readonly log: Logger;
}

/** By then the next gateway serves. */
const RETRY_AFTER_MS = 1_000;

/** One turn on its way through the gateway, with every client that waits for its answer. */
export class LiveTurn {
  /** Settles when everything is said. Never rejects. */
  readonly over: Promise<void>;
  readonly #options: LiveTurnOptions;
  readonly #readers = new TurnReaders();
  readonly #course: TurnCourse;
  readonly #startedAt = performance.now();
  /** Runs while no client is left and the turn is to be cancelled for it. */
  #vanished: NodeJS.Timeout | undefined;

  constructor(options: LiveTurnOptions) {
    const { facts, draft, connect, limits, closing } = options;
    this.#options = options;
    this.#course = new TurnCourse({
      id: facts.turn,
      draft,
      connect,
      startMs: limits.startMs,
      queueMs: limits.queueMs,
      closing,
      readers: this.#readers,
      onReset: (why) => {
        if (facts.reset === undefined) this.#readers.sessionReset(why);
      },
    });
    this.over = this.#run();
  }

  get id(): string {
    return this.#options.facts.turn;
  }

  get session(): string {
    return this.#options.facts.session;
  }

  /** Names its session among those of all workspaces. */
  get place(): string {
    return `${this.#options.workspace}/${this.session}`;
  }

  get request(): RequestIdentity {
    return this.#options.request;
  }

  /** Whether a worker may have it. */
  get isWaiting(): boolean {
    return this.#course.state === "waiting";
  }

  /** Whether it goes on though no client waits for it. */
  get isVanished(): boolean {
    return this.#readers.isAbandoned && !this.#course.isCancelled && !this.#course.isSettled;
  }

  /** A client waits for its answer, from the event after number `after` on. */
  join(
    output: AnswerOutput,
    onVanish: VanishPolicy,
    how: { readonly isJoined: boolean; readonly after?: number },
  ): TurnReader {
    if (onVanish !== "watch") {
      clearTimeout(this.#vanished);
      this.#vanished = undefined;
    }
    const { isJoined, after = 0 } = how;
    const facts = isJoined ? { ...this.#options.facts, isJoined } : this.#options.facts;
    const reader: TurnReader = { output, onVanish, facts, state: "joined", seq: after };
    this.#readers.add(reader);
    this.#course.replay();
    return reader;
  }

  /** A client has left; the last one's policy decides what becomes of the turn. */
  leave(reader: TurnReader): void {
    this.#readers.remove(reader);
    if (reader.onVanish !== "cancel" || !this.#readers.isAbandoned || this.#course.isSettled) return;
    if (this.isWaiting) return this.cancel("the client left");
    const { vanishedMs } = this.#options.limits;
    this.#vanished = setTimeout(() => this.cancel("the client left"), vanishedMs);
  }

  /** Its session is needed for another turn: one that waits for its client's return waits no longer. */
  supersede(): void {
    if (this.#vanished !== undefined) this.cancel("the client left");
  }

  cancel(why: string): void {
    this.#course.cancel(why);
  }

  /** What this client was told has reached it. If that is the turn's end, a retry is a request of its own from now on. */
  taken(reader: TurnReader): void {
    if (reader.state === "ended" && reader.onVanish !== "watch") this.#course.taken();
  }

  async #run(): Promise<void> {
    try {
      await this.#course.run();
    } catch (error) {
      this.#course.giveUp(this.#failureOf(error));
    }
    clearTimeout(this.#vanished);
    const { facts, log } = this.#options;
    const { turn, session, rule } = facts;
    const tookMs = Math.round(performance.now() - this.#startedAt);
    log.info("turn.ended", { turn, session, rule, ...this.#course.end, tookMs });
  }

  #failureOf(error: unknown): WireError {
    if (!(error instanceof WireFailure)) return internalError(error, this.#options.log);
    if (this.isWaiting) return error.error;
    // It may run: to repeat it as a new request could run it twice.
    if (!this.#options.closing.aborted) return UNREACHABLE;
    const { code, message } = error.error;
    return {
      code,
      message: `${message}; the turn may go on: the same request again, with its Idempotency-Key, tells what became of it`,
      ...(this.#options.retriesJoin ? { retryAfterMs: RETRY_AFTER_MS } : {}),
    };
  }
}
