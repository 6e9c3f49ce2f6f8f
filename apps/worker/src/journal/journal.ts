import { randomUUID } from "node:crypto";
import { chmodSync } from "node:fs";
import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { Logger } from "@synthesis/kit";
import { WireFailure, type Submit, type TurnEnd } from "@synthesis/protocol";
import { statesBefore, type TurnState } from "../turn/turn-state.ts";
import { openDatabase } from "./open-database.ts";

/** A session as the journal remembers it. */
export interface SessionRecord {
  readonly id: string;
  readonly agent: string;
  /** Transcript hash after its last turn; null before the first. */
  readonly head: string | null;
  /** The agent's own name for the conversation: Claude's session id, a UUID. */
  readonly agentSession: string;
  /** Whether a prompt may have reached the agent under that name: then it is resumed, not begun. */
  readonly agentStarted: boolean;
}

/** How much a journal remembers. */
export interface JournalBounds {
  readonly journalTurns: number;
  readonly sessions: number;
}

/** Turns between two looks at the bounds. */
const PRUNE_EVERY = 1_000;

/**
 * What a worker remembers of its sessions and turns: one SQLite file, each edge of a turn written (and synced)
 * before its effect. Synchronous; throws what SQLite throws, a full disk included.
 */
export class Journal {
  readonly #database: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();
  readonly #keep: JournalBounds;
  #acceptedSincePrune = 0;

  constructor(file: string, keep: JournalBounds, log: Logger) {
    this.#keep = keep;
    this.#database = openDatabase(file, log);
    chmodSync(file, 0o600);
  }

  /** Ends the turns that a dead worker left open, and forgets what is over the bounds. Returns how many were cut. */
  recover(): number {
    const cut = this.#run(
      "UPDATE turns SET state = 'interrupted', ended_at = ?, error_code = 'turn_interrupted' WHERE state IN ('accepted', 'started')",
      Date.now(),
    );
    this.#prune();
    return cut;
  }

  /** The session that `submit` names, made where it is new, with its turn: accepted. */
  accept({ turn, session }: Submit): SessionRecord {
    if (this.#acceptedSincePrune++ >= PRUNE_EVERY) this.#prune();
    const now = Date.now();
    if (this.#statement("SELECT 1 FROM turns WHERE id = ?").get(turn) !== undefined) {
      throw new WireFailure(
        "invalid_request",
        `turn ${turn} is known already: each turn has an id of its own`,
      );
    }
    return this.#transaction(() => {
      this.#run(
        "INSERT INTO sessions (id, key, agent, scope, agent_session, created_at, used_at) VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET used_at = excluded.used_at",
        session.id,
        session.key,
        session.agent,
        session.scope,
        randomUUID(),
        now,
        now,
      );
      this.#run(
        "INSERT INTO turns (id, session, state, accepted_at) VALUES (?, ?, 'accepted', ?)",
        turn,
        session.id,
        now,
      );
      const record = this.session(session.id);
      if (record === undefined)
        throw new Error(`session ${session.id} is not in the journal it was just written to`);
      return record;
    });
  }

  /** Written before the prompt is: from here on the turn is never run again. */
  start(turn: string, session: string): void {
    this.#transaction(() => {
      this.#move(turn, "started", "started_at", null);
      this.markAgentStarted(session);
    });
  }

  /** The turn's one end, and the session's transcript hash where the turn changed it. */
  end(turn: string, session: string, end: TurnEnd, head: string | undefined): void {
    this.#transaction(() => {
      this.#move(turn, end.state, "ended_at", end.state === "completed" ? null : end.error.code);
      if (head !== undefined) this.#run("UPDATE sessions SET head = ? WHERE id = ?", head, session);
    });
  }

  /** A prompt is about to reach the agent under its present name: from here on that session is resumed, not begun. */
  markAgentStarted(session: string): void {
    this.#run("UPDATE sessions SET agent_started = 1 WHERE id = ?", session);
  }

  /** The agent never came to life: the session is begun again, not resumed. */
  unmarkAgentStarted(session: string): void {
    this.#run("UPDATE sessions SET agent_started = 0 WHERE id = ?", session);
  }

  /** The agent lost its side of the conversation: the session goes on under a new name. */
  renewAgentSession(session: string): SessionRecord {
    this.#run("UPDATE sessions SET agent_session = ?, agent_started = 0 WHERE id = ?", randomUUID(), session);
    const record = this.session(session);
    if (record === undefined) throw new Error(`session ${session} is not in the journal`);
    return record;
  }

  session(id: string): SessionRecord | undefined {
    const row = this.#statement(
      "SELECT id, agent, head, agent_session, agent_started FROM sessions WHERE id = ?",
    ).get(id);
    if (row === undefined) return undefined;
    return {
      id: String(row["id"]),
      agent: String(row["agent"]),
      head: row["head"] === null ? null : String(row["head"]),
      agentSession: String(row["agent_session"]),
      agentStarted: row["agent_started"] === 1,
    };
  }

  /** The one session of `scope` with this transcript; none where two have it, for identity is never guessed. */
  sessionByHead(scope: string, head: string): string | undefined {
    const rows = this.#statement("SELECT id FROM sessions WHERE scope = ? AND head = ? LIMIT 2").all(
      scope,
      head,
    );
    return rows.length === 1 ? String(rows[0]?.["id"]) : undefined;
  }

  sessionCount(): number {
    return Number(this.#statement("SELECT count(*) AS n FROM sessions").get()?.["n"]);
  }

  close(): void {
    this.#statements.clear();
    this.#database.close();
  }

  /** Forgets the oldest turns and the longest unused sessions above the bounds, none that is at work. */
  #prune(): void {
    this.#acceptedSincePrune = 0;
    this.#run(
      "DELETE FROM turns WHERE state NOT IN ('accepted', 'started') AND rowid IN (SELECT rowid FROM turns ORDER BY accepted_at DESC LIMIT -1 OFFSET ?)",
      this.#keep.journalTurns,
    );
    this.#run(
      "DELETE FROM sessions WHERE id NOT IN (SELECT session FROM turns WHERE state IN ('accepted', 'started')) AND id IN (SELECT id FROM sessions ORDER BY used_at DESC LIMIT -1 OFFSET ?)",
      this.#keep.sessions,
    );
  }

  #move(turn: string, to: TurnState, timeColumn: "started_at" | "ended_at", errorCode: string | null): void {
    const from = statesBefore(to);
    const marks = from.map(() => "?").join(", ");
    const changed = this.#run(
      `UPDATE turns SET state = ?, ${timeColumn} = ?, error_code = ? WHERE id = ? AND state IN (${marks})`,
      to,
      Date.now(),
      errorCode,
      turn,
      ...from,
    );
    if (changed !== 1) throw new Error(`turn ${turn} cannot become ${to}: it is not ${from.join(" or ")}`);
  }

  #run(sql: string, ...values: (string | number | null)[]): number {
    return Number(this.#statement(sql).run(...values).changes);
  }

  #statement(sql: string): StatementSync {
    const known = this.#statements.get(sql);
    if (known) return known;
    const statement = this.#database.prepare(sql);
    this.#statements.set(sql, statement);
    return statement;
  }

  #transaction<T>(body: () => T): T {
    this.#database.exec("BEGIN IMMEDIATE");
    try {
      const value = body();
      this.#database.exec("COMMIT");
      return value;
    } catch (error) {
      this.#database.exec("ROLLBACK");
      throw error;
    }
  }
}
