import { randomUUID } from "node:crypto";
import type { Submit } from "@synthesis/protocol";
import type { Database, Row } from "./database.ts";

/** A session as the journal remembers it. */
export interface SessionRecord {
  readonly id: string;
  /** What its agent sees as its name. */
  readonly key: string;
  readonly agent: string;
  /** Hash of the API key that made it; empty where an earlier version did. */
  readonly caller: string;
  /** Transcript hash after its last turn; null before the first. */
  readonly head: string | null;
  /** The agent's own name for the conversation: Claude's session id, a UUID. */
  readonly agentSession: string;
  /** Whether a prompt may have reached the agent under that name: then it is resumed, not begun. */
  readonly agentStarted: boolean;
  /** Epoch ms. */
  readonly createdAt: number;
  readonly usedAt: number;
}

const COLUMNS = "id, key, agent, caller, head, agent_session, agent_started, created_at, used_at";

/** The sessions of a workspace. */
export class SessionTable {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /** The session that `submit` names, made where it is new. */
  use({ session, request }: Submit, now: number): SessionRecord {
    this.#database.run(
      "INSERT INTO sessions (id, key, agent, scope, caller, agent_session, created_at, used_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET used_at = excluded.used_at",
      session.id,
      session.key,
      session.agent,
      session.scope,
      request.caller,
      randomUUID(),
      now,
      now,
    );
    return this.get(session.id);
  }

  find(id: string): SessionRecord | undefined {
    const row = this.#database.get(`SELECT ${COLUMNS} FROM sessions WHERE id = ?`, id);
    return row && read(row);
  }

  /** Throws where there is no such session. */
  get(id: string): SessionRecord {
    const record = this.find(id);
    if (record === undefined) throw new Error(`session ${id} is not in the journal`);
    return record;
  }

  /** The one session of `scope` with this transcript; none where two have it, for identity is never guessed. */
  byHead(scope: string, head: string): string | undefined {
    const rows = this.#database.all(
      "SELECT id FROM sessions WHERE scope = ? AND head = ? LIMIT 2",
      scope,
      head,
    );
    return rows.length === 1 ? String(rows[0]?.["id"]) : undefined;
  }

  /** The sessions last used, newest first: of one API key, or of all. */
  list(caller: string | undefined, max: number): readonly SessionRecord[] {
    const rows = this.#database.all(
      `SELECT ${COLUMNS} FROM sessions WHERE ?1 IS NULL OR caller = ?1 ORDER BY used_at DESC LIMIT ?2`,
      caller ?? null,
      max,
    );
    return rows.map(read);
  }

  count(): number {
    return Number(this.#database.get("SELECT count(*) AS n FROM sessions")?.["n"]);
  }

  setHead(id: string, head: string): void {
    this.#database.run("UPDATE sessions SET head = ? WHERE id = ?", head, id);
  }

  /** A prompt is about to reach the agent under its present name: from here on that session is resumed, not begun. */
  markAgentStarted(id: string): void {
    this.#database.run("UPDATE sessions SET agent_started = 1 WHERE id = ?", id);
  }

  /** The agent never came to life: the session is begun again, not resumed. */
  unmarkAgentStarted(id: string): void {
    this.#database.run("UPDATE sessions SET agent_started = 0 WHERE id = ?", id);
  }

  /** The agent lost its side of the conversation: the session goes on under a new name. */
  renewAgentSession(id: string): SessionRecord {
    this.#database.run(
      "UPDATE sessions SET agent_session = ?, agent_started = 0 WHERE id = ?",
      randomUUID(),
      id,
    );
    return this.get(id);
  }

  /** Forgets a session with its turns. Returns whether it was there. */
  delete(id: string): boolean {
    return this.#database.run("DELETE FROM sessions WHERE id = ?", id) > 0;
  }

  /** Forgets the longest unused ones above `max`, none that is at work. */
  prune(max: number): void {
    this.#database.run(
      "DELETE FROM sessions WHERE id NOT IN (SELECT session FROM turns WHERE state IN ('accepted', 'started')) AND id IN (SELECT id FROM sessions ORDER BY used_at DESC LIMIT -1 OFFSET ?)",
      max,
    );
  }
}

function read(row: Row): SessionRecord {
  return {
    id: String(row["id"]),
    key: String(row["key"]),
    agent: String(row["agent"]),
    caller: String(row["caller"]),
    head: typeof row["head"] === "string" ? row["head"] : null,
    agentSession: String(row["agent_session"]),
    agentStarted: row["agent_started"] === 1,
    createdAt: Number(row["created_at"]),
    usedAt: Number(row["used_at"]),
  };
}
