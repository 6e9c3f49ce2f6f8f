import { abortable } from "@synthesis/kit";
import { WireFailure, type Submit, type TurnEnd, type WireError } from "@synthesis/protocol";
import type { TurnEvent, TurnListener } from "../worker/turn-listener.ts";
import type { WorkerLink } from "../worker/worker-link.ts";
import { AskTally } from "./ask-tally.ts";
import { handOver, type LinkOutcome } from "./hand-over.ts";
import type { TurnDraft } from "./turn-draft.ts";
import { FORGOTTEN, NOT_KEPT, UNREACHABLE } from "./turn-failures.ts";
import type { TurnReaders } from "./turn-readers.ts";
import { WorkerReach, type WorkerReachOptions } from "./worker-reach.ts";

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

/** The way of one turn through the generations of its worker, till its end is told to all who read it. */
export class TurnCourse implements TurnListener {
  readonly #options: TurnCourseOptions;
  readonly #reach: WorkerReach;
  readonly #stop = new AbortController();
  readonly #tally: AskTally;
  #state: TurnCourseState;
  #link: WorkerLink | undefined;
  #acceptance = Promise.withResolvers<LinkOutcome>();
  #ending = Promise.withResolvers<LinkOutcome>();
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
    this.#tally = new AskTally(options.draft === undefined ? "joined" : "from-start");
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
    return this.#tally.mayBeAsking;
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
    this.#tally.hear(event);
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

  async #handOver(draft: TurnDraft): Promise<void> {
    const { closing, readers } = this.#options;
    await handOver({
      draft,
      reach: this.#reach,
      stop: AbortSignal.any([closing, this.#stop.signal]),
      closing,
      submit: async (link, order) => this.#submit(link, order),
      onRefused: () => {
        this.#state = "waiting";
        if (this.#cancelled !== undefined) this.cancel(this.#cancelled);
      },
      latestSeq: () => readers.latestSeq,
    });
  }

  async #submit(link: WorkerLink, order: Submit): Promise<LinkOutcome> {
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
