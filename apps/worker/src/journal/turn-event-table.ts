import type { Database } from "./database.ts";

/**
 * Text of the answer; thinking and tool activity; a piece of a call of a client's function, as JSON; what became of
 * the turn beside what its agent did for it; an ask in words, which is part of the answer, though its agent did not
 * say it; an ask, and how it was settled, as JSON.
 */
export type TurnEventKind =
  | "text"
  | "reasoning"
  | "tool_call"
  | "note"
  | "question"
  | "asked"
  | "ask_settled";

/** One piece of what is told of a turn. */
export interface TurnEvent {
  /** From 1, without gaps within a turn. */
  readonly seq: number;
  readonly kind: TurnEventKind;
  readonly text: string;
}

/** What the turns said, so that it can be read again from its start, also by another generation of the worker. */
export class TurnEventTable {
  readonly #database: Database;
  /** The ended turns up to then (epoch ms) have nothing left. */
  #prunedUpTo = 0;

  /** `database` need not be synced: a power failure may cost the last events of a turn that it cuts anyway. */
  constructor(database: Database) {
    this.#database = database;
  }

  /** In one transaction. */
  append(rows: readonly (TurnEvent & { readonly turn: string })[]): void {
    this.#database.transaction(() => {
      for (const { turn, seq, kind, text } of rows) {
        this.#database.run(
          "INSERT INTO turn_events (turn, seq, kind, text) VALUES (?, ?, ?, ?)",
          turn,
          seq,
          kind,
          text,
        );
      }
    });
  }

  /** The events after a number, in order. */
  after(turn: string, seq: number): readonly TurnEvent[] {
    const rows = this.#database.all(
      "SELECT seq, kind, text FROM turn_events WHERE turn = ? AND seq > ? ORDER BY seq",
      turn,
      seq,
    );
    return rows.map((row) => ({
      seq: Number(row["seq"]),
      kind: String(row["kind"]) as TurnEventKind,
      text: String(row["text"]),
    }));
  }

  lastSeq(turn: string): number {
    const row = this.#database.get("SELECT max(seq) AS last FROM turn_events WHERE turn = ?", turn);
    return Number(row?.["last"] ?? 0);
  }

  /** Forgets the events up to a number. */
  dropUpTo(turn: string, seq: number): void {
    this.#database.run("DELETE FROM turn_events WHERE turn = ? AND seq <= ?", turn, seq);
  }

  /** Forgets what turns said that ended before `before` (epoch ms), and what all but the last `max` ended ones said. */
  prune(before: number, max: number): void {
    const row = this.#database.get(
      "SELECT ended_at FROM turns WHERE ended_at IS NOT NULL ORDER BY ended_at DESC LIMIT 1 OFFSET ?",
      max,
    );
    const upTo = Math.max(before, Number(row?.["ended_at"] ?? 0));
    this.#database.run(
      "DELETE FROM turn_events WHERE turn IN (SELECT id FROM turns WHERE ended_at > ? AND ended_at <= ?)",
      this.#prunedUpTo,
      upTo,
    );
    this.#prunedUpTo = upTo;
  }
}
