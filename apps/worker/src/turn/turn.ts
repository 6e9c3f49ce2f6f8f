import type { Logger } from "@synthesis/kit";
import type { Submit, TurnEnd, WireFailure } from "@synthesis/protocol";
import type { Steerable } from "../drivers/agent-process.ts";
import type { Journal } from "../journal/journal.ts";
import type { SessionRecord } from "../journal/session-table.ts";
import type { TurnTranscript } from "../journal/transcripts.ts";
import type { OpenTurn } from "../journal/turn-table.ts";
import type { TurnOrigin } from "../journal/turn-origin.ts";
import { AnswerSoFar } from "./answer-so-far.ts";
import { endOfStop } from "./end-of-stop.ts";
import { errorOf } from "./error-of.ts";
import { withDemandedCall } from "./demanded-call.ts";
import { transcriptLeft } from "./transcript-left.ts";
import type { NumberedTurnEvent, TurnEvent } from "./turn-event.ts";
import { TurnFollowers } from "./turn-followers.ts";
import type { OutputTurn, TurnOutput } from "./turn-output.ts";
import type { TurnSink } from "./turn-sink.ts";
import { TurnSteers } from "./turn-steers.ts";

interface TurnSurroundings {
  readonly journal: Journal;
  readonly output: TurnOutput;
  readonly log: Logger;
}

export interface TurnOptions extends TurnSurroundings {
  readonly order: Submit;
  /** An earlier generation of the worker accepted it, and left it so. */
  readonly left?: OpenTurn;
  /** It is refused, has ended, or is left to the next generation; called before its followers are told. */
  onOver(): void;
}

/** How a turn is accepted. */
export interface Acceptance {
  /** Where its session's transcript goes on from. */
  readonly origin?: TurnOrigin;
  /** Its session is begun anew for it, and why. */
  readonly reset?: string | undefined;
  /** The agent's conversation can branch off after the prompt; then the turn's id is its name for that place. */
  readonly canBranch?: boolean;
}

/**
 * waiting: it may still be refused. accepted, started: in the journal, in that state. over: it was refused or has
 * ended. left: the next generation of the worker takes it up.
 */
type State = "waiting" | "accepted" | "started" | "over" | "left";

/** One turn as the worker accounts for it: each edge, and all it says, is in the journal before anybody is told. */
export class Turn implements OutputTurn {
  readonly order: Submit;
  readonly steers = new TurnSteers();
  readonly #options: TurnOptions;
  readonly #stop = new AbortController();
  readonly #followers: TurnFollowers;
  #state: State = "waiting";
  #record: SessionRecord | undefined;
  #resumes = 0;
  readonly #answer: AnswerSoFar;
  /** Its agent's name for the prompt. */
  #anchor: string | undefined;
  /** Whether its agent may have read the prompt. */
  #isTold = false;

  constructor(options: TurnOptions) {
    const { order, left, journal, output } = options;
    this.order = order;
    this.#options = options;
    this.#followers = new TurnFollowers(order.turn, output);
    this.#answer = new AnswerSoFar(left === undefined ? [] : journal.events.after(order.turn, 0));
    if (left === undefined) return;
    this.#state = left.state;
    this.#resumes = left.resumes;
    this.#isTold = left.state === "started";
  }

  get id(): string {
    return this.order.turn;
  }

  get state(): State {
    return this.#state;
  }

  /** Aborts with a `WireFailure` when it is to stop. */
  get cancel(): AbortSignal {
    return this.#stop.signal;
  }

  /** What its agent said so far. */
  get shown(): string {
    return this.#answer.said;
  }

  /** Whether it has some text. */
  get hasText(): boolean {
    return this.#answer.hasText;
  }

  /** Whether the agent did anything for it: then it may have had effects. */
  get isActive(): boolean {
    return this.#answer.isActive;
  }

  /** Whether another process could finish it: nobody could tell what it says anew from what is not known, or from calls. */
  get canBeFinished(): boolean {
    const { isWhole, calls, isContinuation } = this.#answer;
    if (isContinuation || this.order.isStateless === true) return false;
    return isWhole && calls.length === 0 && this.steers.isEmpty;
  }

  /** Whether its agent was told nothing of the session before. */
  get isFirst(): boolean {
    return this.#record?.agentStarted === false;
  }

  /** How often its agent was asked to finish it after its process had died. */
  get resumes(): number {
    return this.#resumes;
  }

  /** Whether somebody is told what becomes of it. */
  get isFollowed(): boolean {
    return !this.#followers.isEmpty;
  }

  /** Stops it, accepted or not. */
  stop(reason: WireFailure): void {
    this.#stop.abort(reason);
  }

  /** Tells `sink` its events after a number, and what comes. One that follows already begins anew from there. */
  follow(sink: TurnSink, after: number): void {
    if (this.#state === "waiting") this.#followers.add(sink);
    else this.#followers.catchUp(sink, after);
  }

  unfollow(sink: TurnSink): void {
    this.#followers.delete(sink);
  }

  deliver(event: NumberedTurnEvent): void {
    this.#followers.event(event);
  }

  /** It will be run. Throws what the journal throws, and then it was not accepted. */
  accept({ origin, reset, canBranch = false }: Acceptance = {}): SessionRecord {
    const { journal } = this.#options;
    if (this.#state === "waiting") {
      this.#record = journal.accept(this.order, origin);
      this.#state = "accepted";
    }
    this.#anchor = canBranch ? this.id : undefined;
    this.#followers.accepted(reset);
    return (this.#record ??= journal.sessions.get(this.order.session.id));
  }

  /** It will not be run. */
  refuse(cause: unknown): void {
    const { log } = this.#options;
    const error = errorOf(cause);
    this.#close("over");
    log.info("turn.refused", { turn: this.id, code: error.code, cause: String(cause) });
    this.#followers.refused(error);
  }

  /** Its prompt is about to be written, now or again. Throws what the journal throws. */
  start(): void {
    const { journal } = this.#options;
    const { id: session } = this.order.session;
    if (this.#state === "started") journal.startAgain(this.id, session, this.#anchor);
    else journal.start(this.id, session, this.#anchor);
    this.#state = "started";
    this.#isTold = true;
  }

  /** Its agent certainly never read the prompt. */
  untold(): void {
    this.#isTold = false;
  }

  /** Its agent is asked to finish it, after its process died. */
  resume(): void {
    this.#options.journal.resume(this.id);
    this.#resumes++;
  }

  /** Tells it; how an ask was settled stands in the journal at once. */
  say(event: TurnEvent): void {
    this.#answer.add(event);
    this.#options.output.add(this, event);
    if (event.kind === "ask_settled") this.#options.output.flush();
  }

  /** The process that asked is gone, with the worker that had it. */
  dropAsks(): void {
    for (const ask of this.#answer.openAsks)
      this.say({ kind: "ask_settled", settlement: { ask, behavior: "deny", by: "agent" } });
  }

  /** The process that runs it from now on; undefined: none. */
  runsOn(process: Steerable | undefined): void {
    this.steers.runsOn(process);
  }

  /** Its agent takes up what else was said in it. */
  steered(message: string): void {
    const { output } = this.#options;
    output.flush();
    this.steers.takenUp(message, output.lastSeq(this.id));
  }

  /**
   * Reported even where the journal cannot be written: it owes the end then. A turn that may have had effects is
   * not to be repeated, whatever its failure; nor one that is open in the journal, since the next worker would run
   * it if this one died now. `anchor`: the agent's name for its end, where the conversation can branch off there.
   */
  end(judged: TurnEnd, anchor?: string): void {
    let end = withDemandedCall(judged, this.order.mustCall, this.#answer.calls);
    if (this.isActive) end = withoutRetry(end);
    const { journal, output, log } = this.#options;
    const session = this.order.session.id;
    const code = end.state === "completed" ? undefined : end.error.code;
    output.flush();
    const seq = output.lastSeq(this.id) + 1;
    try {
      const isVoid = !this.isActive && (end.state === "failed" || end.state === "cancelled");
      journal.end(session, { turn: this.id, end, seq, isVoid }, this.#left(end, anchor));
      // No agent could be started: what is to be told a new one is still to be told.
      if (code === "agent_unavailable" && this.#record?.agentStarted === false)
        journal.sessions.unmarkAgentStarted(session);
    } catch (error) {
      log.error("journal.write_failed", { turn: this.id, error: String(error) });
      end = withoutRetry(end);
    }
    log.info("turn.ended", { turn: this.id, session, state: end.state, code });
    this.#close("over");
    this.#followers.ended(seq, end);
  }

  /** Left without an end, for the next generation of the worker to take up. */
  leave(): void {
    this.#options.output.flush();
    this.#options.log.info("turn.left", { turn: this.id, session: this.order.session.id });
    this.#close("left");
  }

  /** What an exception means for the turn that met it. */
  failed(cause: unknown): TurnEnd {
    this.#options.log.error("turn.not_run", { turn: this.id, cause: String(cause) });
    return endOfStop(errorOf(cause));
  }

  #close(state: "over" | "left"): void {
    this.#state = state;
    this.#options.output.forget(this.id);
    this.#options.onOver();
  }

  #left(end: TurnEnd, anchor: string | undefined): TurnTranscript {
    const isSteered = !this.steers.isEmpty || this.#answer.isTalkedInto;
    return transcriptLeft({
      order: this.order,
      answer: this.#answer,
      isTold: this.#isTold,
      isSteered,
      end,
      anchor,
    });
  }
}

function withoutRetry(end: TurnEnd): TurnEnd {
  if (end.state === "completed") return end;
  const { code, message } = end.error;
  return { state: end.state, error: { code, message } };
}
