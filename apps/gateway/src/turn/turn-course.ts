import { abortable } from "@synthesis/kit";
import { WireFailure, type Prompt, type Submit, type TurnEnd, type WireError } from "@synthesis/protocol";
import type { TurnEvent, TurnListener, WorkerLink } from "../worker/worker-link.ts";
import { OpenAsks } from "./open-asks.ts";
import { FORGOTTEN, NOT_KEPT, UNREACHABLE } from "./turn-failures.ts";
import type { TurnReaders } from "./turn-readers.ts";
import { isPassing, WorkerReach, type WorkerReachOptions } from "./worker-reach.ts";

/** A turn that is still to be handed to a worker. */
export interface TurnDraft {
  /** Resolves when its time has come. Rejects with the signal's reason. */
  whenFirst(signal: AbortSignal): Promise<void>;
  /**
   * The order for this worker, by what it knows of the session now; `refusal`: why it refused the order before.
   * Rejects with a `WireFailure`: `worker_unavailable` where it could not be asked, else why there is no other order.
   */
  compose(link: WorkerLink, refusal?: WireError): Promise<Submit>;
  /**
   * What its client says now, to be told to the agent within the turn of its session that runs; undefined: that cannot
   * be. Rejects with a `WireFailure`.
   */
  steering(link: WorkerLink): Promise<Prompt | undefined>;
  /** A worker has accepted it: it is no longer one that waits. */
  accepted(): void;
}

export interface TurnCourseOptions extends WorkerReachOptions {
  readonly id: string;
  /** Absent: a worker has accepted it. */
  readonly draft: TurnDraft | undefined;
  readonly readers: TurnReaders;
  /** It was accepted, and its session begins anew with it: why. */
  readonly onReset: (why: string) => void;
}

/**
 * waiting: for its time, or for a worker; certainly not run. handed-over: perhaps accepted. accepted: it runs, or
 * has run. over: its end is told. given-up: its clients are told why there is none.
 */
export type TurnCourseState = "waiting" | "handed-over" | "accepted" | "over" | "given-up";

/** The last thing that a link said of the turn. */
type Outcome =
  | { readonly type: "accepted" }
  | { readonly type: "refused"; readonly error: WireError }
  | { readonly type: "over" }
  | { readonly type: "lost" };

/** The way of one turn through the generations of its worker, till its end is told to all who read it. */
export class TurnCourse implements TurnListener {
  readonly #options: TurnCourseOptions;
  readonly #reach: WorkerReach;
  readonly #stop = new AbortController();
  readonly #asks: OpenAsks;
  #state: TurnCourseState;
  #link: WorkerLink | undefined;
  #acceptance = Promise.withResolvers<Outcome>();
  #ending = Promise.withResolvers<Outcome>();
  /** Why it is to be cancelled, once it is. */
  #cancelled: string | undefined;
  /** Why its session began anew with it, once that was told. */
  #reset: string | undefined;
  /** From where the events were asked for again since the last client joined, lest that be done without end. */
  #replayedFrom: number | undefined;
  /** How it ended, or why it was given up. */
  #end: TurnEnd | { readonly state: "given-up"; readonly error: WireError } | undefined;

  constructor(options: TurnCourseOptions) {
    this.#options = options;
    this.#reach = new WorkerReach(options);
    this.#state = options.draft === undefined ? "accepted" : "waiting";
    this.#asks = new OpenAsks(options.draft === undefined ? "joined" : "from-start");
  }

  get state(): TurnCourseState {
    return this.#state;
  }

  /** Whether nothing more comes. */
  get isSettled(): boolean {
    return this.#state === "over" || this.#state === "given-up";
  }

  get isCancelled(): boolean {
    return this.#cancelled !== undefined;
  }

  /** The link to the worker that may run it, while there is one. */
  get link(): WorkerLink | undefined {
    return this.#link;
  }

  /** Aborts when it is cancelled, or its time is up, before a worker may have it. */
  get stopped(): AbortSignal {
    return this.#stop.signal;
  }

  /** How it ended, once it is settled: in the log's words. */
  get end(): { readonly state: string; readonly code: string | undefined } {
    const end = this.#end;
    if (end === undefined) return { state: this.#state, code: undefined };
    return { state: end.state, code: "error" in end ? end.error.code : undefined };
  }

  /** Whether its agent may be waiting for a person's verdict. */
  get mayBeAsking(): boolean {
    return this.#asks.mayBeAsking;
  }

  /** Takes the turn to its end. Rejects where its clients are to be told why there is none: see {@link giveUp}. */
  async run(): Promise<void> {
    const { draft, closing } = this.#options;
    if (draft !== undefined) await this.#handOver(draft);
    for (;;) {
      if (this.#link === undefined) {
        this.#renew(await this.#reach.again(this.#options.readers.latestSeq));
        this.#follow();
      }
      const { type } = await abortable(this.#ending.promise, closing);
      if (type === "over") return;
      this.#link = undefined;
    }
  }

  /** Tells whoever reads it why there is no end, now and later. */
  giveUp(error: WireError): void {
    this.#state = "given-up";
    this.#end = { state: "given-up", error };
    this.#options.readers.failed(error);
  }

  /** A client has joined that knows less than the others. */
  replay(): void {
    const { readers } = this.#options;
    this.#replayedFrom = undefined;
    if (this.#state === "waiting" || this.#state === "handed-over") readers.admit();
    else if (this.#end?.state === "given-up") readers.failed(this.#end.error);
    else if (this.#link?.isOpen) this.#follow(); // it answers with `accepted`, or is gone
    else if (this.#state === "over") readers.failed(UNREACHABLE); // else the next link follows it
  }

  cancel(why: string): void {
    this.#cancelled ??= why;
    if (this.#state === "waiting")
      this.#stop.abort(new WireFailure("turn_cancelled", `the turn was cancelled: ${why}`));
    else this.#link?.cancel(this.#options.id, why);
  }

  /** Its time to wait is up: where no worker may have it, it is not run. */
  expire(reason: WireFailure): void {
    this.#stop.abort(reason);
  }

  /** A client has the end: a retry of its request is a request of its own from now on. */
  taken(): void {
    this.#link?.taken(this.#options.id);
  }

  onAccepted(reset: string | undefined): void {
    const { draft, readers, onReset } = this.#options;
    if (this.#state === "waiting" || this.#state === "handed-over") {
      this.#state = "accepted";
      draft?.accepted();
    }
    readers.admit();
    if (reset !== undefined && this.#reset === undefined) {
      this.#reset = reset;
      onReset(reset);
    }
    this.#acceptance.resolve({ type: "accepted" });
  }

  onRefused(error: WireError): void {
    this.#acceptance.resolve({ type: "refused", error });
  }

  onEvent(event: TurnEvent): void {
    this.#asks.hear(event);
    this.#options.readers.event(event);
  }

  onEnded(seq: number, end: TurnEnd): void {
    const { readers } = this.#options;
    const { lowestSeq } = readers;
    // Somebody joined at the last moment: what it lacks is asked for, once.
    if (lowestSeq < seq - 1 && this.#link?.isOpen && this.#replayedFrom !== lowestSeq) {
      this.#replayedFrom = lowestSeq;
      return this.#follow();
    }
    this.#state = "over";
    this.#end = end;
    readers.ended(seq, end);
    this.#ending.resolve({ type: "over" });
  }

  onGone(end: TurnEnd | undefined): void {
    const { readers, id } = this.#options;
    readers.failLate();
    // Those who lack nothing, and the session's next turn, still wait for the end.
    if (this.#link?.isOpen && this.#replayedFrom !== Infinity) {
      this.#replayedFrom = Infinity;
      return this.#link.follow(id, readers.latestSeq, this);
    }
    this.giveUp(end === undefined ? FORGOTTEN : NOT_KEPT);
    this.#ending.resolve({ type: "over" });
  }

  onLost(): void {
    if (this.isSettled) this.#options.readers.failed(UNREACHABLE); // who joined as it ended
    this.#ending.resolve({ type: "lost" });
  }

  /** Waits for the turn's time, and hands it to one worker after the other till one accepts it. */
  async #handOver(draft: TurnDraft): Promise<void> {
    const { closing, readers } = this.#options;
    const stop = AbortSignal.any([closing, this.#stop.signal]);
    await draft.whenFirst(stop);
    let { link, order } = await this.#compose(draft, stop);
    for (;;) {
      if (this.#state === "waiting") stop.throwIfAborted();
      const outcome = await abortable(this.#submit(link, order), closing);
      if (outcome.type === "accepted" || outcome.type === "over") return;
      if (outcome.type === "lost") {
        link = await this.#reach.again(readers.latestSeq);
        continue;
      }
      this.#state = "waiting";
      if (this.#cancelled !== undefined) this.cancel(this.#cancelled);
      const { code } = outcome.error;
      if (code === "worker_draining") ({ link, order } = await this.#compose(draft, stop, { drained: link }));
      else ({ link, order } = await this.#compose(draft, stop, { refusal: outcome.error }));
    }
  }

  /** The order for the turn's worker, and the link to it. A worker that is being started again is waited for. */
  async #compose(
    draft: TurnDraft,
    stop: AbortSignal,
    { drained, refusal }: { readonly drained?: WorkerLink; readonly refusal?: WireError } = {},
  ): Promise<{ link: WorkerLink; order: Submit }> {
    for (;;) {
      const link = await this.#reach.first(stop, drained);
      try {
        return { link, order: await abortable(draft.compose(link, refusal), stop) };
      } catch (error) {
        stop.throwIfAborted();
        if (link.isOpen || !isPassing(error)) throw error;
      }
    }
  }

  async #submit(link: WorkerLink, order: Submit): Promise<Outcome> {
    this.#state = "handed-over";
    this.#renew(link);
    link.submit(order, this);
    if (this.#cancelled !== undefined) link.cancel(this.#options.id, this.#cancelled);
    return Promise.race([this.#acceptance.promise, this.#ending.promise]);
  }

  #follow(): void {
    const { id, readers } = this.#options;
    this.#link?.follow(id, readers.lowestSeq, this);
    if (this.#cancelled !== undefined) this.#link?.cancel(id, this.#cancelled);
  }

  #renew(link: WorkerLink): void {
    this.#link = link;
    this.#acceptance = Promise.withResolvers();
    this.#ending = Promise.withResolvers();
  }
}
