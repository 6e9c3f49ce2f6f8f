import type { Logger } from "@synthesis/kit";
import { WireFailure, type RequestIdentity, type WireError } from "@synthesis/protocol";
import { internalError } from "../http/internal-error.ts";
import type { WorkerLink } from "../worker/worker-link.ts";
import type { AnswerOutput, TurnFacts } from "../answer/answer-output.ts";
import { HostedTurn, type HostTurn, type TurnHost } from "./hosted-turn.ts";
import { ReturnWait } from "./return-wait.ts";
import { TurnCourse } from "./turn-course.ts";
import { queueTimeout, UNREACHABLE } from "./turn-failures.ts";
import { TurnReaders, type TurnReader, type VanishPolicy } from "./turn-readers.ts";
import { draftOf, type TurnWay } from "./turn-way.ts";

export interface LiveTurnOptions {
  readonly facts: TurnFacts;
  /** The agent that was asked. */
  readonly agent: string;
  /** When it was asked for, epoch ms. */
  readonly createdAt: number;
  /** The workspace that runs it. */
  readonly workspace: string;
  readonly request: RequestIdentity;
  /** Its client's retries are known as such, and so join it instead of running it twice. */
  readonly retriesJoin: boolean;
  readonly way: TurnWay;
  /** The link to its worker; after `drained`, the link to the generation that follows. */
  readonly connect: (drained?: WorkerLink) => Promise<WorkerLink>;
  readonly limits: { readonly queueMs: number; readonly startMs: number; readonly vanishedMs: number };
  /** Aborts with a `WireFailure` when the gateway closes: clients are told, and the turn goes on without them. */
  readonly closing: AbortSignal;
  readonly log: Logger;
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
export class LiveTurn implements HostTurn {
  /** Settles when everything is said. Never rejects. */
  readonly over: Promise<void>;
  readonly #options: LiveTurnOptions;
  readonly #readers = new TurnReaders();
  readonly #course: TurnCourse;
  readonly #startedAt = performance.now();
  /** Runs while no client is left and the turn is to be cancelled for it. */
  readonly #returnWait = new ReturnWait();
  readonly #hosted: HostedTurn;

  constructor(options: LiveTurnOptions) {
    const { facts, way, connect, limits, closing } = options;
    this.#options = options;
    this.#hosted = new HostedTurn("endsWith" in way ? way.endsWith : "turn");
    this.#course = new TurnCourse({
      id: facts.turn,
      draft: draftOf(way),
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

  get agent(): string {
    return this.#options.agent;
  }

  /** When it was asked for, epoch ms. */
  get createdAt(): number {
    return this.#options.createdAt;
  }

  /** Names its session among those of all workspaces. */
  get place(): string {
    return `${this.#options.workspace}/${this.session}`;
  }

  get request(): RequestIdentity {
    return this.#options.request;
  }

  get state(): LiveTurnState {
    if (this.#hosted.host !== undefined) return "steered";
    if (this.#course.isSettled) return "over";
    if (this.#hosted.isSaid) return "steering";
    return this.#course.state === "waiting" ? "waiting" : "running";
  }

  /** The link to the worker that may run it, while there is one. */
  get link(): WorkerLink | undefined {
    return this.#course.link;
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
    return this.state === "steered" || !this.#course.isCancelled;
  }

  /** A client waits for its answer, from the event after number `after` on. */
  join(
    output: AnswerOutput,
    onVanish: VanishPolicy,
    how: { readonly isJoined: boolean; readonly after?: number },
  ): TurnReader {
    if (onVanish !== "watch") this.#returnWait.end();
    const { isJoined, after = 0 } = how;
    const facts = isJoined ? { ...this.#options.facts, isJoined } : this.#options.facts;
    const reader: TurnReader = { output, onVanish, facts, endsWith: "turn", state: "joined", seq: after };
    this.#readers.add(reader);
    const { host } = this.#hosted;
    if (host === undefined) this.#course.replay();
    else this.#hosted.tell(reader, host);
    return reader;
  }

  /** A client has left; the last one's policy decides what becomes of the turn. */
  leave(reader: TurnReader): void {
    this.#readers.remove(reader);
    const { host } = this.#hosted;
    if (host !== undefined) return host.turn.leave(reader);
    if (reader.onVanish !== "cancel" || !this.#readers.isAbandoned || this.#course.isSettled) return;
    if (this.state === "waiting") return this.cancel("the client left");
    this.#hosted.withdraw();
    this.#returnWait.begin(this.#options.limits.vanishedMs, () => this.cancel("the client left"));
  }

  /** Its session is needed for another turn: one that waits for its client's return waits no longer. */
  supersede(): void {
    if (this.#returnWait.isRunning && this.state !== "steering") this.cancel("the client left");
  }

  /** Of a turn whose message another one took up: cancels that. One that takes it up this moment is left alone. */
  cancel(why: string): void {
    (this.#hosted.host?.turn ?? this.#course).cancel(why);
  }

  /** See {@link HostTurn.takeOver}. */
  takeOver(reader: TurnReader, after: number): void {
    const isLeft = this.#returnWait.isRunning;
    this.#returnWait.end();
    const mayBeCancelled = isLeft || (!this.#readers.isAbandoned && this.#readers.all.every(isNotToGoOn));
    if (!mayBeCancelled && reader.onVanish === "cancel") reader.onVanish = "continue";
    reader.seq = after;
    this.#readers.add(reader);
    this.#course.replay();
  }

  /** What this client was told has reached it. If that is the turn's end, a retry is a request of its own from now on. */
  taken(reader: TurnReader): void {
    if (reader.state === "ended" && reader.onVanish !== "watch") this.#course.taken();
  }

  async #run(): Promise<void> {
    const { facts, way, limits, log } = this.#options;
    const { queueMs } = limits;
    const expire = () => this.#course.expire(queueTimeout(queueMs));
    const queued = draftOf(way) && setTimeout(expire, queueMs);
    try {
      const host = way.type === "steer" ? await this.#steer(way) : hostOf(way);
      if (host !== undefined) return await this.#goOnIn(host);
      this.supersede();
      await this.#course.run();
    } catch (error) {
      this.#course.giveUp(this.#failureOf(error));
    } finally {
      clearTimeout(queued);
      this.#returnWait.end();
    }
    const { turn, session, rule } = facts;
    const tookMs = Math.round(performance.now() - this.#startedAt);
    log.info("turn.ended", { turn, session, rule, ...this.#course.end, tookMs });
  }

  async #steer({ into, draft }: Extract<TurnWay, { type: "steer" }>): Promise<TurnHost | undefined> {
    return this.#hosted.steer(into, {
      prompt: async (worker) => draft.steering(worker),
      stop: this.#course.stopped,
      closing: this.#options.closing,
    });
  }

  async #goOnIn(host: TurnHost): Promise<void> {
    const { facts, way, log } = this.#options;
    this.#returnWait.end();
    draftOf(way)?.accepted();
    const { turn, after } = host;
    log.info("turn.steered", { turn: facts.turn, session: facts.session, into: turn.id, after });
    await this.#hosted.goOnIn(host, this.#readers.all);
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

function hostOf(way: TurnWay): TurnHost | undefined {
  return way.type === "settle" ? way.host : undefined;
}

function isNotToGoOn({ onVanish }: TurnReader): boolean {
  return onVanish !== "continue";
}
