import type { Logger } from "@synthesis/kit";
import { rollTranscript, WireFailure, type Submit, type TurnEnd, type WireError } from "@synthesis/protocol";
import type { Journal, SessionRecord } from "../journal/journal.ts";
import { isDatabaseError } from "../journal/open-database.ts";
import { endOfStop } from "./end-of-stop.ts";
import type { TurnSink } from "./turn-sink.ts";

export interface TurnOptions {
  readonly order: Submit;
  /** Where its events go. */
  readonly sink: TurnSink;
  /** Aborts with a `WireFailure` when the turn is to be cancelled. */
  readonly cancel: AbortSignal;
  readonly journal: Journal;
  readonly log: Logger;
  /** It is refused or has ended; called before its sink is told. */
  onOver(): void;
}

/** One turn as the worker accounts for it: each edge is in the journal before its effect, each event goes to its sink. */
export class Turn {
  readonly order: Submit;
  readonly cancel: AbortSignal;
  readonly #options: TurnOptions;
  #record: SessionRecord | undefined;
  #isStarted = false;
  #text = "";
  /** Whether the agent did anything for it: then it may have had effects. */
  #isActive = false;

  constructor(options: TurnOptions) {
    this.order = options.order;
    this.cancel = options.cancel;
    this.#options = options;
  }

  /** It will be run. Throws what the journal throws, and then it was not accepted. */
  accept(): SessionRecord {
    this.#record = this.#options.journal.accept(this.order);
    this.#options.sink.accepted();
    return this.#record;
  }

  /** It will not be run. */
  refuse(cause: unknown): void {
    const { sink, log } = this.#options;
    const error = errorOf(cause);
    this.#options.onOver();
    log.info("turn.refused", { turn: this.order.turn, code: error.code, cause: String(cause) });
    sink.refused(error);
  }

  /** Its prompt is about to be written, now or again after the agent found no conversation. Throws what the journal throws. */
  start(): void {
    const { turn, session } = this.order;
    if (this.#isStarted) this.#options.journal.markAgentStarted(session.id);
    else this.#options.journal.start(turn, session.id);
    this.#isStarted = true;
  }

  text(text: string): void {
    this.#isActive = true;
    this.#text += text;
    this.#options.sink.text(text);
  }

  reasoning(text: string): void {
    this.#isActive = true;
    this.#options.sink.reasoning(text);
  }

  /**
   * Reported even where the journal cannot be written: it will be found open, and be ended, at the next start.
   * A turn that may have had effects is not to be repeated, whatever its failure.
   */
  end(judged: TurnEnd): void {
    const end = this.#isActive ? withoutRetry(judged) : judged;
    const { journal, sink, log, order } = this.#options;
    const { turn, session } = order;
    const code = end.state === "completed" ? undefined : end.error.code;
    try {
      journal.end(turn, session.id, end, this.#headAfter(end));
      // No agent could be started: what is to be told a new one is still to be told.
      if (code === "agent_unavailable" && this.#record?.agentStarted === false)
        journal.unmarkAgentStarted(session.id);
    } catch (error) {
      log.error("journal.write_failed", { turn, error: String(error) });
    }
    log.info("turn.ended", { turn, session: session.id, state: end.state, code });
    this.#options.onOver();
    sink.ended(end);
  }

  /** What an exception means for the turn that met it. */
  failed(cause: unknown): TurnEnd {
    this.#options.log.error("turn.not_run", { turn: this.order.turn, cause: String(cause) });
    return endOfStop(errorOf(cause));
  }

  /** The transcript as the client has it now; as before where the agent said nothing. */
  #headAfter(end: TurnEnd): string | undefined {
    const { transcript } = this.order;
    if (transcript === undefined || (end.state !== "completed" && this.#text === "")) return undefined;
    return rollTranscript(transcript, "assistant", this.#text);
  }
}

function errorOf(cause: unknown): WireError {
  if (cause instanceof WireFailure) return cause.error;
  if (!isDatabaseError(cause)) return { code: "internal_error", message: "the worker failed: see its log" };
  const message = "the workspace's journal cannot be written: free disk space, then try again";
  return { code: "worker_unavailable", message, retryAfterMs: 5_000 };
}

function withoutRetry(end: TurnEnd): TurnEnd {
  if (end.state === "completed") return end;
  const { code, message } = end.error;
  return { state: end.state, error: { code, message } };
}
