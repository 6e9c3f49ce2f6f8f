import type { TurnEnd, WireError } from "@synthesis/protocol";
import type { TurnEvent } from "../worker/turn-listener.ts";
import type { AnswerOutput, TurnFacts } from "../answer/answer-output.ts";
import { NOT_KEPT } from "./turn-failures.ts";
import type { HostedEnd } from "./turn-way.ts";

/** What becomes of a turn whose last client has left; a watcher is no client, and its leaving means nothing. */
export type VanishPolicy = "cancel" | "continue" | "watch";

/** One client that waits for a turn's answer. */
export interface TurnReader {
  readonly output: AnswerOutput;
  onVanish: VanishPolicy;
  readonly facts: TurnFacts;
  /** What its answer ends with. */
  endsWith: HostedEnd;
  /** admitted: it was told which turn it is. ended: it was told the turn's end. failed: it was told why there is none. */
  state: "joined" | "admitted" | "ended" | "failed";
  /** Number of the last event it was told. */
  seq: number;
}

/**
 * The clients of one turn. Events come numbered, and again from an earlier number when another client joins or
 * the link to the worker is made anew: each client is told each event once, in order.
 */
export class TurnReaders {
  readonly #readers = new Set<TurnReader>();
  #latestSeq = 0;

  /** Whether no client is left: who only watches does not count. */
  get isAbandoned(): boolean {
    return this.all.every(({ onVanish }) => onVanish === "watch");
  }

  get all(): readonly TurnReader[] {
    return [...this.#readers];
  }

  /** The number up to which all of them know everything. */
  get lowestSeq(): number {
    return Math.min(this.#latestSeq, ...this.#listening().map(({ seq }) => seq));
  }

  /** Number of the last event that any of them was told. */
  get latestSeq(): number {
    return this.#latestSeq;
  }

  add(reader: TurnReader): void {
    this.#latestSeq = Math.max(this.#latestSeq, reader.seq);
    this.#readers.add(reader);
  }

  remove(reader: TurnReader): void {
    this.#readers.delete(reader);
  }

  /** Tells those that were not told yet which turn it is. */
  admit(): void {
    for (const reader of this.#readers) admit(reader);
  }

  event(event: TurnEvent): void {
    const { seq } = event;
    this.#latestSeq = Math.max(this.#latestSeq, seq);
    for (const reader of this.#readers) {
      if (!isListening(reader) || seq !== reader.seq + 1) continue; // known to this one, or a gap, which its end will show
      reader.seq = seq;
      admit(reader); // one that joined this moment may be told by the answer to an earlier one
      tell(reader.output, event);
      if (reader.endsWith === "question" && isAnswerable(event)) endWithQuestion(reader, seq);
    }
  }

  sessionReset(why: string): void {
    for (const { output } of this.#listening()) output.sessionReset(why);
  }

  ended(seq: number, end: TurnEnd): void {
    this.admit(); // who joined in this moment
    for (const reader of this.#listening()) {
      reader.state = reader.seq < seq - 1 ? "failed" : "ended";
      if (reader.state === "failed") reader.output.failed(NOT_KEPT);
      else if (end.state === "completed") reader.output.completed(end, seq);
      else reader.output.failed(end.error);
    }
  }

  /** Gives up on those that lack what is not kept any more. */
  failLate(): void {
    for (const reader of this.#listening()) {
      if (reader.seq === this.#latestSeq && reader.seq > 0) continue;
      reader.state = "failed";
      reader.output.failed(NOT_KEPT);
    }
  }

  failed(error: WireError): void {
    for (const reader of this.#listening()) {
      reader.state = "failed";
      reader.output.failed(error);
    }
  }

  #listening(): readonly TurnReader[] {
    return this.all.filter(isListening);
  }
}

function admit(reader: TurnReader): void {
  if (reader.state !== "joined") return;
  reader.state = "admitted";
  reader.output.admitted(reader.facts);
}

/** Whether it is a question that the reader's client can see, and answer. */
function isAnswerable(event: TurnEvent): boolean {
  return event.type === "asked" && event.ask.isInAnswer === true;
}

/** The turn goes on, and waits for what its client says to that. */
function endWithQuestion(reader: TurnReader, seq: number): void {
  reader.state = "ended";
  reader.onVanish = "continue";
  reader.output.completed({ state: "completed", finishReason: "stop" }, seq);
}

function tell(output: AnswerOutput, event: TurnEvent): void {
  const { seq } = event;
  switch (event.type) {
    case "delta":
      return output.text(event.text, seq);
    case "reasoning":
      return output.reasoning(event.text, seq);
    case "tool_called":
      return output.toolCall(event.call, seq);
    case "asked":
      return output.asked(event.ask, seq);
    case "ask_settled":
      return output.askSettled({ ask: event.ask, behavior: event.behavior, by: event.by }, seq);
  }
}

function isListening({ state }: TurnReader): boolean {
  return state === "joined" || state === "admitted";
}
