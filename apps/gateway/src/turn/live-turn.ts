import { abortable, sleep, type Logger } from "@synthesis/kit";
import {
  WireFailure,
  type RequestIdentity,
  type Submit,
  type TurnEnd,
  type WireError,
} from "@synthesis/protocol";
import { internalError } from "../http/internal-error.ts";
import type { TurnListener, WorkerLink } from "../worker/worker-link.ts";
import type { AnswerOutput, TurnFacts } from "./answer-output.ts";
import { NOT_KEPT, TurnReaders, type TurnReader, type VanishPolicy } from "./turn-readers.ts";

/** A turn that is still to be handed to a worker. */
export interface TurnDraft {
  readonly order: Submit;
  /** The order for an agent that does not remember the earlier messages: it is told them. */
  readonly seeded: Submit;
  /** Resolves when its time has come. Rejects with the signal's reason. */
  whenFirst(signal: AbortSignal): Promise<void>;
  /** A worker has accepted it: it is no longer one that waits. */
  accepted(): void;
}

export interface LiveTurnOptions {
  readonly facts: TurnFacts;
  readonly request: RequestIdentity;
  /** Absent: a worker has accepted it. */
  readonly draft?: TurnDraft;
  /** The link to its worker; after `drained`, the link to the generation that follows. */
  connect(drained?: WorkerLink): Promise<WorkerLink>;
  readonly limits: { readonly queueMs: number; readonly startMs: number; readonly vanishedMs: number };
  /** Aborts with a `WireFailure` when the gateway closes: clients are told, and the turn goes on without them. */
  readonly closing: AbortSignal;
  readonly log: Logger;
}

/**
 * waiting: for its time, or for a worker; certainly not run. handed over: perhaps accepted. accepted: it runs, or
 * has run. over: its end is told. given up: its clients are told why there is none.
 */
type State = "waiting" | "handed-over" | "accepted" | "over" | "given-up";

/** The last thing that a link said of the turn. */
type Outcome =
  | { readonly type: "accepted" }
  | { readonly type: "refused"; readonly error: WireError }
  | { readonly type: "over" }
  | { readonly type: "lost" };

const PAUSE_MS = 200;
/** So often a link may be lost without any news of the turn in between. */
const MAX_LOSSES = 10;

/** One turn on its way through the gateway, with every client that waits for its answer. */
export class LiveTurn implements TurnListener {
  /** Settles when everything is said. Never rejects. */
  readonly over: Promise<void>;
  readonly #options: LiveTurnOptions;
  readonly #readers = new TurnReaders();
  readonly #stop = new AbortController();
  readonly #startedAt = performance.now();
  #state: State;
  #link: WorkerLink | undefined;
  #acceptance = Promise.withResolvers<Outcome>();
  #ending = Promise.withResolvers<Outcome>();
  /** Why it is to be cancelled, once it is. */
  #cancelled: string | undefined;
  /** Runs while no client is left and the turn is to be cancelled for it. */
  #vanished: NodeJS.Timeout | undefined;
  /** From where the events were asked for again since the last client joined, lest that be done without end. */
  #replayedFrom: number | undefined;
  /** Why it was given up. */
  #failure: WireError = FORGOTTEN;
  /** How often its link was lost since the last news, and what the last news was. */
  #losses = { count: 0, latestSeq: 0 };

  constructor(options: LiveTurnOptions) {
    this.#options = options;
    this.#state = options.draft === undefined ? "accepted" : "waiting";
    this.over = this.#run();
  }

  get id(): string {
    return this.#options.facts.turn;
  }

  get session(): string {
    return this.#options.facts.session;
  }

  get request(): RequestIdentity {
    return this.#options.request;
  }

  /** Whether it goes on though no client waits for it. */
  get isVanished(): boolean {
    return this.#readers.isEmpty && this.#cancelled === undefined && !this.#isSettled;
  }

  /** A client waits for its answer, from the event after number `after` on. */
  join(
    output: AnswerOutput,
    onVanish: VanishPolicy,
    how: { readonly isJoined: boolean; readonly after?: number },
  ): TurnReader {
    clearTimeout(this.#vanished);
    this.#vanished = undefined;
    const { isJoined, after = 0 } = how;
    const facts = isJoined ? { ...this.#options.facts, isJoined } : this.#options.facts;
    const reader: TurnReader = { output, onVanish, facts, state: "joined", seq: after };
    this.#readers.add(reader);
    this.#replayedFrom = undefined;
    if (this.#state === "waiting" || this.#state === "handed-over") this.#readers.admit();
    else if (this.#state === "given-up") this.#readers.failed(this.#failure);
    else if (this.#link?.isOpen) this.#follow(this.#link); // it answers with `accepted`, or is gone
    else if (this.#state === "over") this.#readers.failed(UNREACHABLE); // else the next link follows it
    return reader;
  }

  /** A client has left; the last one's policy decides what becomes of the turn. */
  leave(reader: TurnReader): void {
    this.#readers.remove(reader);
    if (!this.#readers.isEmpty || this.#isSettled || reader.onVanish === "continue") return;
    if (this.#state === "waiting") return this.cancel("the client left");
    const { vanishedMs } = this.#options.limits;
    this.#vanished = setTimeout(() => this.cancel("the client left"), vanishedMs);
  }

  /** Its session is needed for another turn: one that waits for its client's return waits no longer. */
  supersede(): void {
    if (this.#vanished !== undefined) this.cancel("the client left");
  }

  cancel(why: string): void {
    this.#cancelled ??= why;
    if (this.#state === "waiting")
      this.#stop.abort(new WireFailure("turn_cancelled", `the turn was cancelled: ${why}`));
    else this.#link?.cancel(this.id, why);
  }

  /** What this client was told has reached it. If that is the turn's end, a retry is a request of its own from now on. */
  taken(reader: TurnReader): void {
    if (reader.state === "ended") this.#link?.taken(this.id);
  }

  onAccepted(reset: string | undefined): void {
    if (this.#state === "waiting" || this.#state === "handed-over") {
      this.#state = "accepted";
      this.#options.draft?.accepted();
      if (reset !== undefined && this.#options.facts.reset === undefined) this.#readers.sessionReset(reset);
    }
    this.#readers.admit();
    this.#acceptance.resolve({ type: "accepted" });
  }

  onRefused(error: WireError): void {
    this.#acceptance.resolve({ type: "refused", error });
  }

  onEvent(kind: "text" | "reasoning", seq: number, text: string): void {
    this.#readers.event(kind, seq, text);
  }

  onEnded(seq: number, end: TurnEnd): void {
    const { lowestSeq } = this.#readers;
    // Somebody joined at the last moment: what it lacks is asked for, once.
    if (lowestSeq < seq - 1 && this.#link?.isOpen && this.#replayedFrom !== lowestSeq) {
      this.#replayedFrom = lowestSeq;
      return this.#follow(this.#link);
    }
    this.#sayOver(end.state, end.state === "completed" ? undefined : end.error);
    this.#state = "over";
    this.#readers.ended(seq, end);
    this.#ending.resolve({ type: "over" });
  }

  onGone(end: TurnEnd | undefined): void {
    this.#readers.failLate();
    // Those who lack nothing, and the session's next turn, still wait for the end.
    if (this.#link?.isOpen && this.#replayedFrom !== Infinity) {
      this.#replayedFrom = Infinity;
      return this.#link.follow(this.id, this.#readers.latestSeq, this);
    }
    this.#failure = end === undefined ? FORGOTTEN : NOT_KEPT;
    this.#sayOver("gone", this.#failure);
    this.#state = "given-up";
    this.#readers.failed(this.#failure);
    this.#ending.resolve({ type: "over" });
  }

  onLost(): void {
    if (this.#isSettled) this.#readers.failed(UNREACHABLE); // who joined as it ended
    this.#ending.resolve({ type: "lost" });
  }

  get #isSettled(): boolean {
    return this.#state === "over" || this.#state === "given-up";
  }

  async #run(): Promise<void> {
    const { draft, log } = this.#options;
    try {
      if (draft !== undefined) await this.#handOver(draft);
      await this.#followToEnd();
    } catch (error) {
      this.#failure = this.#failureOf(error);
      log.info("turn.not_ended", { turn: this.id, state: this.#state, code: this.#failure.code });
      this.#state = "given-up";
      this.#readers.failed(this.#failure);
    }
    clearTimeout(this.#vanished);
  }

  /** Waits for the turn's time, and hands it to one worker after the other till one accepts it; all of it within `queueMs`. */
  async #handOver(draft: TurnDraft): Promise<void> {
    const { limits, closing } = this.#options;
    const expiry = new AbortController();
    const timer = setTimeout(() => expiry.abort(queueTimeout(limits.queueMs)), limits.queueMs);
    const stop = AbortSignal.any([closing, expiry.signal, this.#stop.signal]);
    try {
      await draft.whenFirst(stop);
      let order = draft.order;
      let link = await this.#reach(stop);
      for (;;) {
        if (this.#state === "waiting") stop.throwIfAborted();
        const outcome = await abortable(this.#submit(link, order), closing);
        if (outcome.type === "accepted" || outcome.type === "over") return;
        if (outcome.type === "lost") {
          link = await this.#reachAgain();
          continue;
        }
        this.#state = "waiting";
        if (this.#cancelled !== undefined) this.cancel(this.#cancelled);
        else if (outcome.error.code === "session_lost" && order !== draft.seeded) order = draft.seeded;
        else if (outcome.error.code === "worker_draining") link = await this.#reach(stop, link);
        else throw WireFailure.from(outcome.error);
      }
    } finally {
      clearTimeout(timer);
    }
  }

  async #submit(link: WorkerLink, order: Submit): Promise<Outcome> {
    this.#state = "handed-over";
    this.#renew(link);
    link.submit(order, this);
    return this.#saidLast();
  }

  async #followToEnd(): Promise<void> {
    const { closing } = this.#options;
    for (;;) {
      if (this.#link === undefined) {
        const link = await this.#reachAgain();
        this.#renew(link);
        this.#follow(link);
      }
      const { type } = await abortable(this.#ending.promise, closing);
      if (type === "over") return;
      this.#link = undefined;
    }
  }

  #follow(link: WorkerLink): void {
    link.follow(this.id, this.#readers.lowestSeq, this);
    if (this.#cancelled !== undefined) link.cancel(this.id, this.#cancelled);
  }

  #renew(link: WorkerLink): void {
    this.#link = link;
    this.#acceptance = Promise.withResolvers();
    this.#ending = Promise.withResolvers();
  }

  async #saidLast(): Promise<Outcome> {
    const link = this.#link;
    const outcome = Promise.race([this.#acceptance.promise, this.#ending.promise]);
    if (this.#cancelled !== undefined) link?.cancel(this.id, this.#cancelled);
    return outcome;
  }

  /** The link to the worker that may run it, within `startMs`. */
  async #reachAgain(): Promise<WorkerLink> {
    const { closing, limits } = this.#options;
    const { latestSeq } = this.#readers;
    if (latestSeq > this.#losses.latestSeq) this.#losses = { count: 0, latestSeq };
    if (this.#losses.count++ >= MAX_LOSSES) throw WireFailure.from(UNREACHABLE);
    if (this.#losses.count > 2) await sleep(PAUSE_MS, closing);
    return this.#reach(AbortSignal.any([closing, AbortSignal.timeout(limits.startMs)]));
  }

  /** A worker that is being started again is waited for as long as the signal allows. */
  async #reach(signal: AbortSignal, drained?: WorkerLink): Promise<WorkerLink> {
    for (;;) {
      signal.throwIfAborted(); // before there is a promise whose rejection nobody hears
      try {
        return await abortable(this.#options.connect(drained), signal);
      } catch (error) {
        signal.throwIfAborted();
        const retryAfterMs = error instanceof WireFailure ? error.error.retryAfterMs : undefined;
        const isPassing = error instanceof WireFailure && error.error.code === "worker_unavailable";
        if (!isPassing || retryAfterMs === undefined) throw error;
        await sleep(PAUSE_MS, signal);
      }
    }
  }

  #failureOf(error: unknown): WireError {
    if (error instanceof DOMException && error.name === "TimeoutError") return UNREACHABLE;
    if (!(error instanceof WireFailure)) return internalError(error, this.#options.log);
    if (this.#state === "waiting") return error.error;
    // It may run: to repeat it as a new request could run it twice.
    if (!this.#options.closing.aborted) return UNREACHABLE;
    const { code, message } = error.error;
    return {
      code,
      message: `${message}: the turn goes on, and its answer can be read with its Idempotency-Key`,
    };
  }

  #sayOver(state: string, error: WireError | undefined): void {
    const { facts, log } = this.#options;
    const tookMs = Math.round(performance.now() - this.#startedAt);
    const { turn, session, rule } = facts;
    log.info("turn.ended", { turn, session, rule, state, code: error?.code, tookMs });
  }
}

const FORGOTTEN: WireError = {
  code: "turn_interrupted",
  message: "the workspace's worker knows nothing of this turn any more: what it did may have had effects",
};
const UNREACHABLE: WireError = {
  code: "turn_interrupted",
  message:
    "the workspace's worker does not come back: what the turn did may have had effects; its answer may be read later with its Idempotency-Key",
};

function queueTimeout(queueMs: number): WireFailure {
  const message = `the turn's time did not come within ${queueMs} ms (limits.queueMs)`;
  return new WireFailure("queue_timeout", message, { retryAfterMs: 5_000 });
}
