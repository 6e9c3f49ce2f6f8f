import type { TurnEnd, WireError } from "@synthesis/protocol";
import type { NumberedTurnEvent } from "./turn-event.ts";
import type { TurnOutput } from "./turn-output.ts";
import type { TurnSink } from "./turn-sink.ts";

/** Who is told what becomes of one turn. */
export class TurnFollowers {
  readonly #turn: string;
  readonly #output: TurnOutput;
  readonly #sinks = new Set<TurnSink>();
  /** Why its session was begun anew for it. */
  #reset: string | undefined;

  constructor(turn: string, output: TurnOutput) {
    this.#turn = turn;
    this.#output = output;
  }

  get isEmpty(): boolean {
    return this.#sinks.size === 0;
  }

  /** Tells `sink` what comes. */
  add(sink: TurnSink): void {
    this.#sinks.add(sink);
  }

  /** Tells `sink` of an accepted turn the events after a number, and what comes. One that is there begins anew from there. */
  catchUp(sink: TurnSink, after: number): void {
    const [turn, output] = [this.#turn, this.#output];
    this.#sinks.delete(sink);
    output.flush();
    const events = output.after(turn, after, output.lastSeq(turn));
    if (events === undefined) return sink.gone(turn);
    sink.accepted(turn, this.#reset);
    for (const event of events) sink.event(turn, event);
    this.#sinks.add(sink);
  }

  delete(sink: TurnSink): void {
    this.#sinks.delete(sink);
  }

  accepted(reset: string | undefined): void {
    this.#reset = reset;
    for (const sink of this.#sinks) sink.accepted(this.#turn, reset);
  }

  refused(error: WireError): void {
    for (const sink of this.#sinks) sink.refused(this.#turn, error);
  }

  event(event: NumberedTurnEvent): void {
    for (const sink of this.#sinks) sink.event(this.#turn, event);
  }

  ended(seq: number, end: TurnEnd): void {
    for (const sink of this.#sinks) sink.ended(this.#turn, seq, end);
  }
}
