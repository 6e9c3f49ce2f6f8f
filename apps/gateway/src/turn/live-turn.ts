import type { Logger } from "@synthesis/kit";
import { WireFailure, type RequestIdentity, type WireError } from "@synthesis/protocol";
import { internalError } from "../http/internal-error.ts";
import type { WorkerLink } from "../worker/worker-link.ts";
import type { AnswerOutput, TurnFacts } from "./answer-output.ts";
import { Steering } from "./steering.ts";
import { TurnCourse, type TurnDraft } from "./turn-course.ts";
import { queueTimeout, UNREACHABLE } from "./turn-failures.ts";
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
  /** The running turn that its message is to be put into: only where that fails it is run itself. */
  readonly steers?: LiveTurn | undefined;
  /** The turn that took up its message already, whose events are its answer. */
  readonly host?: TurnHost;
  /** The link to its worker; after `drained`, the link to the generation that follows. */
  readonly connect: (drained?: WorkerLink) => Promise<WorkerLink>;
  readonly limits: { readonly queueMs: number; readonly startMs: number; readonly vanishedMs: number };
  /** Aborts with a `WireFailure` when the gateway closes: clients are told, and the turn goes on without them. */
  readonly closing: AbortSignal;
  readonly log: Logger;
}

/** A turn that took up the message of another one. */
export interface TurnHost {
  readonly turn: LiveTurn;
  /** Number of its last event before. */
  readonly after: number;
}

/**
 * waiting: certainly not run. steering: its message was said within another turn, and it is not known whether the agent
 * takes it up. steered: it was taken up there, and that turn's events are its answer. running: a worker may have it.
 * over: everything is said.
 */
export type LiveTurnState = "waiting" | "steering" | "steered" | "running" | "over";

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
  /** Its message's way into the running turn, till it is known what became of it. */
  #steering: Steering | undefined;
  /** The turn that took up its message. */
  #host: TurnHost | undefined;

  constructor(options: LiveTurnOptions) {
    const { facts, draft, connect, limits, closing } = options;
    this.#options = options;
    this.#course = new TurnCourse({
      id: facts.turn,
      draft,
      connect,
      startMs: limits.startMs,
      closing,
      readers: this.#readers,
      onReset: (why) => this.#readers.sessionReset(why),
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

  get state(): LiveTurnState {
    if (this.#host !== undefined) return "steered";
    if (this.#course.isSettled) return "over";
    if (this.#steering?.isSaid) return "steering";
    return this.#course.state === "waiting" ? "waiting" : "running";
  }

  /** Whether its agent may be waiting for a person's verdict. */
  get mayBeAsking(): boolean {
    return this.#course.mayBeAsking;
  }

  /** Number of the last event that is known here. */
  get latestSeq(): number {
    return this.#readers.latestSeq;
  }

  /** Whether it goes on though no client waits for it. */
  get isVanished(): boolean {
    if (!this.#readers.isAbandoned || this.#course.isSettled) return false;
    return this.#host !== undefined || !this.#course.isCancelled;
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
    if (this.#host === undefined) this.#course.replay();
    else this.#host.turn.#takeOver(reader, this.#host.after);
    return reader;
  }

  /** A client has left; the last one's policy decides what becomes of the turn. */
  leave(reader: TurnReader): void {
    this.#readers.remove(reader);
    if (this.#host !== undefined) return this.#host.turn.leave(reader);
    if (reader.onVanish !== "cancel" || !this.#readers.isAbandoned || this.#course.isSettled) return;
    if (this.state === "waiting") return this.cancel("the client left");
    this.#steering?.withdraw();
    const { vanishedMs } = this.#options.limits;
    this.#vanished = setTimeout(() => this.cancel("the client left"), vanishedMs);
  }

  /** Its session is needed for another turn: one that waits for its client's return waits no longer. */
  supersede(): void {
    if (this.#vanished !== undefined && this.state !== "steering") this.cancel("the client left");
  }

  /** Of a turn whose message another one took up: cancels that. One that takes it up this moment is left alone. */
  cancel(why: string): void {
    if (this.#host === undefined) this.#course.cancel(why);
    else this.#host.turn.cancel(why);
  }

  /** What this client was told has reached it. If that is the turn's end, a retry is a request of its own from now on. */
  taken(reader: TurnReader): void {
    if (reader.state === "ended" && reader.onVanish !== "watch") this.#course.taken();
  }

  async #run(): Promise<void> {
    const { facts, draft, limits, log } = this.#options;
    const { queueMs } = limits;
    const expire = () => this.#course.expire(queueTimeout(queueMs));
    const queued = draft && setTimeout(expire, queueMs);
    try {
      const { steers, host } = this.#options;
      if (host !== undefined) return await this.#goOnIn(host);
      const after = steers && draft && (await this.#steer(steers, draft));
      if (steers !== undefined && after !== undefined) return await this.#goOnIn({ turn: steers, after });
      this.supersede();
      await this.#course.run();
    } catch (error) {
      this.#course.giveUp(this.#failureOf(error));
    } finally {
      clearTimeout(queued);
      clearTimeout(this.#vanished);
    }
    const { turn, session, rule } = facts;
    const tookMs = Math.round(performance.now() - this.#startedAt);
    log.info("turn.ended", { turn, session, rule, ...this.#course.end, tookMs });
  }

  /** Puts its message into a running turn: see {@link Steering.run}. */
  async #steer(host: LiveTurn, draft: TurnDraft): Promise<number | undefined> {
    const { id, over } = host;
    const { link } = host.#course;
    this.#steering = new Steering({
      host: { id, link, over },
      prompt: (worker) => draft.steering(worker),
      stop: this.#course.stopped,
      closing: this.#options.closing,
    });
    const after = await this.#steering.run();
    this.#steering = undefined;
    return after;
  }

  /** Another turn took up its message: that turn's events are what its clients are told. */
  async #goOnIn(host: TurnHost): Promise<void> {
    const { facts, draft, log } = this.#options;
    const { turn, after } = host;
    clearTimeout(this.#vanished);
    this.#vanished = undefined;
    this.#host = host;
    draft?.accepted();
    log.info("turn.steered", { turn: facts.turn, session: facts.session, into: turn.id, after });
    for (const reader of this.#readers.all) turn.#takeOver(reader, after);
    await turn.over;
  }

  /** A client of a turn whose message this one took up. What its own clients want of it holds. */
  #takeOver(reader: TurnReader, after: number): void {
    const isLeft = this.#vanished !== undefined;
    clearTimeout(this.#vanished);
    this.#vanished = undefined;
    const mayBeCancelled = isLeft || (!this.#readers.isAbandoned && this.#readers.all.every(isNotToGoOn));
    if (!mayBeCancelled && reader.onVanish === "cancel") reader.onVanish = "continue";
    reader.seq = after;
    this.#readers.add(reader);
    this.#course.replay();
  }

  #failureOf(error: unknown): WireError {
    if (!(error instanceof WireFailure)) return internalError(error, this.#options.log);
    if (this.state === "waiting" || this.state === "steering") return error.error;
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

function isNotToGoOn({ onVanish }: TurnReader): boolean {
  return onVanish !== "continue";
}
