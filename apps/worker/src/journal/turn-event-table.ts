import { AgentAsk, AskSettlement, ToolCallDelta } from "@synthesis/protocol";
import type { NumberedTurnEvent, TurnEvent } from "../turn/turn-event.ts";
import type { Database, Row } from "./database.ts";

/** What the turns said, so that it can be read again from its start, also by another generation of the worker. */
export class TurnEventTable {
  readonly #database: Database;
  /** The ended turns up to then (epoch ms) have nothing left. */
  #prunedUpTo = 0;

  /** `database` need not be synced: a power failure may cost the last events of a turn that it cuts anyway. */
  constructor(database: Database) {
    this.#database = database;
  }

  /** In one transaction. Returns how many bytes each of them takes. */
  append(rows: readonly { readonly turn: string; readonly event: NumberedTurnEvent }[]): readonly number[] {
    return this.#database.transaction(() =>
      rows.map(({ turn, event }) => {
        const text = written(event);
        this.#database.run(
          "INSERT INTO turn_events (turn, seq, kind, text) VALUES (?, ?, ?, ?)",
          turn,
          event.seq,
          event.kind,
          text,
        );
        return Buffer.byteLength(text);
      }),
    );
  }

  /** The events after a number, in order. */
  after(turn: string, seq: number): readonly NumberedTurnEvent[] {
    const rows = this.#database.all(
      "SELECT seq, kind, text FROM turn_events WHERE turn = ? AND seq > ? ORDER BY seq",
      turn,
      seq,
    );
    return rows.map(numbered);
  }

  /** The last thing that the agent of a turn said, called, attached or asked. */
  lastOfAgent(turn: string): NumberedTurnEvent | undefined {
    const row = this.#database.get(
      "SELECT seq, kind, text FROM turn_events WHERE turn = ? AND kind NOT IN ('reasoning', 'note', 'ask_settled') ORDER BY seq DESC LIMIT 1",
      turn,
    );
    return row && numbered(row);
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

function numbered(row: Row): NumberedTurnEvent {
  return { seq: Number(row["seq"]), ...read(row["kind"] as TurnEvent["kind"], String(row["text"])) };
}

function written(event: TurnEvent): string {
  switch (event.kind) {
    case "tool_call":
      return JSON.stringify(event.call);
    case "asked":
      return JSON.stringify(event.ask);
    case "ask_settled":
      return JSON.stringify(event.settlement);
    case "text":
    case "reasoning":
    case "note":
    case "question":
    case "file":
      return event.text;
  }
}

function read(kind: TurnEvent["kind"], text: string): TurnEvent {
  switch (kind) {
    case "tool_call":
      return { kind, call: ToolCallDelta.parse(JSON.parse(text)) };
    case "asked":
      return { kind, ask: AgentAsk.parse(JSON.parse(text)) };
    case "ask_settled":
      return { kind, settlement: AskSettlement.parse(JSON.parse(text)) };
    case "text":
    case "reasoning":
    case "note":
    case "question":
    case "file":
      return { kind, text };
  }
}
