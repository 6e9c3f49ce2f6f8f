import type { Logger } from "@synthesis/kit";
import { rollTranscript, type Submit, type TurnEnd, type WireFailure } from "@synthesis/protocol";
import type { Journal } from "../journal/journal.ts";
import type { SessionRecord } from "../journal/session-table.ts";
import type { OpenTurn } from "../journal/turn-table.ts";
import type { TurnEvent } from "../journal/turn-event-table.ts";
import { endOfStop } from "./end-of-stop.ts";
import { errorOf } from "./error-of.ts";
import type { OutputTurn, TurnOutput } from "./turn-output.ts";
import type { TurnSink } from "./turn-sink.ts";

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

/**
 * waiting: it may still be refused. accepted, started: in the journal, in that state. over: it was refused or has
 * ended. left: the next generation of the worker takes it up.
 */
type State = "waiting" | "accepted" | "started" | "over" | "left";

/** One turn as the worker accounts for it: each edge, and all it says, is in the journal before anybody is told. */
export class Turn implements OutputTurn {
  readonly order: Submit;
  readonly #options: TurnOptions;
  readonly #stop = new AbortController();
  readonly #followers = new Set<TurnSink>();
  #state: State = "waiting";
  #record: SessionRecord | undefined;
  #reset: string | undefined;
  #resumes = 0;
  /** The answer so far. */
  #text = "";
  #isActive = false;
  /** Whether `#text` is the answer from its start. */
  #isWhole = true;

  constructor(options: TurnOptions) {
    const { order, left, journal } = options;
    this.order = order;
    this.#options = options;
    if (left === undefined) return;
    this.#state = left.state;
    this.#resumes = left.resumes;
    const events = journal.events.after(order.turn, 0);
    this.#isWhole = events.length === 0 || events[0]?.seq === 1;
    this.#isActive = events.some(({ kind }) => kind !== "note");
    this.#text = events.flatMap(({ kind, text }) => (kind === "text" ? [text] : [])).join("");
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

  /** The answer so far. */
  get shown(): string {
    return this.#text;
  }

  /** Whether the agent did anything for it: then it may have had effects. */
  get isActive(): boolean {
    return this.#isActive;
  }

  /** Whether its agent was told nothing of the session before. */
  get isFirst(): boolean {
    return this.#record?.agentStarted === false;
  }

  /** How often its agent was asked to finish it after its process had died. */
  get resumes(): number {
    return this.#resumes;
  }

  /** Whether all that it said is known here: what is not could not be told from what comes again. */
  get isWhole(): boolean {
    return this.#isWhole;
  }

  /** Whether somebody is told what becomes of it. */
  get isFollowed(): boolean {
    return this.#followers.size > 0;
  }

  /** Stops it, accepted or not. */
  stop(reason: WireFailure): void {
    this.#stop.abort(reason);
  }

  /** Tells `sink` its events after a number, and what comes. One that follows already begins anew from there. */
  follow(sink: TurnSink, after: number): void {
    if (this.#state === "waiting") {
      this.#followers.add(sink);
      return;
    }
    const { output } = this.#options;
    this.#followers.delete(sink);
    output.flush();
    const events = output.after(this.id, after, output.lastSeq(this.id));
    if (events === undefined) return sink.gone(this.id);
    sink.accepted(this.id, this.#reset);
    for (const event of events) sink.event(this.id, event);
    this.#followers.add(sink);
  }

  unfollow(sink: TurnSink): void {
    this.#followers.delete(sink);
  }

  deliver(event: TurnEvent): void {
    for (const sink of this.#followers) sink.event(this.id, event);
  }

  /** It will be run; `reset`: its session is begun anew for it, and why. Throws what the journal throws, and then it was not accepted. */
  accept(reset?: string): SessionRecord {
    const { journal } = this.#options;
    if (this.#state === "waiting") {
      this.#record = journal.accept(this.order);
      this.#state = "accepted";
    }
    this.#reset = reset;
    for (const sink of this.#followers) sink.accepted(this.id, reset);
    return (this.#record ??= journal.sessions.get(this.order.session.id));
  }

  /** It will not be run. */
  refuse(cause: unknown): void {
    const { log } = this.#options;
    const error = errorOf(cause);
    this.#close("over");
    log.info("turn.refused", { turn: this.id, code: error.code, cause: String(cause) });
    for (const sink of this.#followers) sink.refused(this.id, error);
  }

  /** Its prompt is about to be written, now or again. Throws what the journal throws. */
  start(): void {
    const { journal } = this.#options;
    const session = this.order.session.id;
    if (this.#state === "started") journal.sessions.markAgentStarted(session);
    else journal.start(this.id, session);
    this.#state = "started";
  }

  /** Its agent is asked to finish it, after its process died. */
  resume(): void {
    this.#options.journal.resume(this.id);
    this.#resumes++;
  }

  text(text: string): void {
    this.#isActive = true;
    this.#text += text;
    this.#options.output.add(this, "text", text);
  }

  reasoning(text: string): void {
    this.#isActive = true;
    this.#options.output.add(this, "reasoning", text);
  }

  /** What is told of the turn, and was not done by its agent. */
  note(text: string): void {
    this.#options.output.add(this, "note", text);
  }

  /**
   * Reported even where the journal cannot be written: it owes the end then. A turn that may have had effects is
   * not to be repeated, whatever its failure; nor one that is open in the journal, since the next worker would run
   * it if this one died now.
   */
  end(judged: TurnEnd): void {
    let end = this.#isActive ? withoutRetry(judged) : judged;
    const { journal, output, log } = this.#options;
    const session = this.order.session.id;
    const code = end.state === "completed" ? undefined : end.error.code;
    output.flush();
    const seq = output.lastSeq(this.id) + 1;
    try {
      const isVoid = !this.#isActive && (end.state === "failed" || end.state === "cancelled");
      journal.end(session, { turn: this.id, end, seq, isVoid }, this.#headAfter(end));
      // No agent could be started: what is to be told a new one is still to be told.
      if (code === "agent_unavailable" && this.#record?.agentStarted === false)
        journal.sessions.unmarkAgentStarted(session);
    } catch (error) {
      log.error("journal.write_failed", { turn: this.id, error: String(error) });
      end = withoutRetry(end);
    }
    log.info("turn.ended", { turn: this.id, session, state: end.state, code });
    this.#close("over");
    for (const sink of this.#followers) sink.ended(this.id, seq, end);
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

  /** The transcript as the client has it now; as before where the agent said nothing. */
  #headAfter(end: TurnEnd): string | undefined {
    const { transcript } = this.order;
    if (transcript === undefined || !this.#isWhole || (end.state !== "completed" && this.#text === ""))
      return undefined;
    return rollTranscript(transcript, "assistant", this.#text);
  }
}

function withoutRetry(end: TurnEnd): TurnEnd {
  if (end.state === "completed") return end;
  const { code, message } = end.error;
  return { state: end.state, error: { code, message } };
}
