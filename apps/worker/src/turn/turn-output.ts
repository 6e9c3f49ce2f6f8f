import { LoopBatch, type Logger } from "@synthesis/kit";
import type { TurnEventTable } from "../journal/turn-event-table.ts";
import type { NumberedTurnEvent, TurnEvent } from "./turn-event.ts";

/** One turn's place in the output. */
export interface OutputTurn {
  readonly id: string;
  /** Takes an event that stands in the journal. */
  deliver(event: NumberedTurnEvent): void;
}

interface Piece {
  readonly turn: OutputTurn;
  readonly event: TurnEvent;
  /** Text that came right after it. */
  more: string;
}

interface Kept {
  lastSeq: number;
  /** Bytes after `halfSeq`. */
  bytes: number;
  /** Where the older half of what is kept ends. */
  halfSeq: number;
}

/**
 * What the turns of a workspace say, on its way to their followers: numbered, and in the journal before
 * anybody is told, so that another generation of the worker knows all that a client has seen. What comes in one
 * turn of the event loop is one event per turn and kind of text, and one transaction.
 */
export class TurnOutput {
  readonly #events: TurnEventTable;
  readonly #maxBytes: number;
  readonly #log: Logger;
  readonly #batch = new LoopBatch<Piece>((pieces) => this.#write(pieces));
  readonly #kept = new Map<string, Kept>();
  #last: Piece | undefined;

  /** Of each turn at least the last half of `maxBytes` is kept. */
  constructor(events: TurnEventTable, maxBytes: number, log: Logger) {
    this.#events = events;
    this.#maxBytes = maxBytes;
    this.#log = log;
  }

  add(turn: OutputTurn, event: TurnEvent): void {
    if (this.#last?.turn === turn && this.#last.event.kind === event.kind && "text" in event) {
      this.#last.more += event.text;
      return;
    }
    this.#last = { turn, event, more: "" };
    this.#batch.add(this.#last);
  }

  /** Writes and delivers at once what is waiting. */
  flush(): void {
    this.#batch.flush();
  }

  /** The number of a turn's last event. */
  lastSeq(turn: string): number {
    return this.#kept.get(turn)?.lastSeq ?? this.#events.lastSeq(turn);
  }

  /** The turn has ended: nothing of it is left here. */
  forget(turn: string): void {
    this.#kept.delete(turn);
  }

  /** The events after a number as far as they stand in the journal, or undefined where some are not kept. */
  after(turn: string, seq: number, lastSeq: number): readonly NumberedTurnEvent[] | undefined {
    const events = this.#events.after(turn, seq);
    return events.length === lastSeq - seq ? events : undefined;
  }

  #write(pieces: readonly Piece[]): void {
    this.#last = undefined;
    const rows = pieces.map(({ turn: to, event, more }) => {
      const seq = ++this.#keptOf(to.id).lastSeq;
      const whole = more !== "" && "text" in event ? { ...event, text: event.text + more } : event;
      return { to, turn: to.id, event: { seq, ...whole } };
    });
    try {
      const sizes = this.#events.append(rows);
      for (const [index, { turn, event }] of rows.entries()) this.#bound(turn, event.seq, sizes[index] ?? 0);
    } catch (error) {
      // Who follows is told all the same; who comes later hears that it is not kept.
      this.#log.error("journal.output_not_kept", { turns: rows.length, error: String(error) });
    }
    for (const { to, event } of rows) to.deliver(event);
  }

  #bound(turn: string, seq: number, bytes: number): void {
    const kept = this.#keptOf(turn);
    kept.bytes += bytes;
    if (kept.bytes < this.#maxBytes / 2) return;
    if (kept.halfSeq > 0) this.#events.dropUpTo(turn, kept.halfSeq);
    kept.halfSeq = seq;
    kept.bytes = 0;
  }

  #keptOf(turn: string): Kept {
    const known = this.#kept.get(turn);
    if (known) return known;
    const kept = { lastSeq: this.#events.lastSeq(turn), bytes: 0, halfSeq: 0 };
    this.#kept.set(turn, kept);
    return kept;
  }
}
