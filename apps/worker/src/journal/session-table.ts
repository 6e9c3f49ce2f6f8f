import { randomUUID } from "node:crypto";
import type { Submit } from "@synthesis/protocol";
import type { Database, Row } from "./database.ts";

/** A place in a conversation as its agent knows it: there it can branch off. */
export interface AgentPlace {
  /** The agent's own name for the conversation. */
  readonly agentSession: string;
  /** Its name for the message after which that place is. */
  readonly anchor: string;
}

/** A session as the journal remembers it. */
export interface SessionRecord {
  readonly id: string;
  /** What its agent sees as its name. */
  readonly key: string;
  readonly agent: string;
  /** Hash of the API key that made it; empty where an earlier version did. */
  readonly caller: string;
  /** Within which its transcript is compared with others. */
  readonly scope: string;
  /** The agent's own name for the conversation: Claude's session id, a UUID. */
  readonly agentSession: string;
  /** Whether a prompt may have reached the agent under that name: then it is resumed, not begun. */
  readonly agentStarted: boolean;
  /** Where the agent's conversation branches off when it is begun; undefined: it begins with nothing. */
  readonly origin?: AgentPlace;
  /** Hash of the client's instructions that the agent was told last; null: of none. */
  readonly instructions: string | null;
  /** The session that it branched off. */
  readonly branchOf?: string;
  /** Epoch ms. */
  readonly createdAt: number;
  readonly usedAt: number;
}

const COLUMNS =
  "id, key, agent, caller, scope, agent_session, agent_started, origin_session, origin_mark, instructions, branch_of, created_at, used_at";

/** The sessions of a workspace. What a stateless turn was run in is one only by its id. */
export class SessionTable {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /** The session that `submit` names, made where it is new. */
  use({ session, request, isStateless }: Submit, now: number): SessionRecord {
    this.#database.run(
      "INSERT INTO sessions (id, family, key, agent, scope, caller, agent_session, is_stateless, created_at, used_at) VALUES (?1, ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?8) ON CONFLICT (id) DO UPDATE SET used_at = excluded.used_at",
      session.id,
      session.key,
      session.agent,
      session.scope,
      request.caller,
      randomUUID(),
      isStateless === true ? 1 : 0,
      now,
    );
    return this.get(session.id);
  }

  /** Undefined also for what a stateless turn was run in. */
  find(id: string): SessionRecord | undefined {
    const row = this.#database.get(`SELECT ${COLUMNS} FROM sessions WHERE id = ? AND is_stateless = 0`, id);
    return row && read(row);
  }

  /** Throws where there is no such session. */
  get(id: string): SessionRecord {
    const row = this.#database.get(`SELECT ${COLUMNS} FROM sessions WHERE id = ?`, id);
    if (row === undefined) throw new Error(`session ${id} is not in the journal`);
    return read(row);
  }

  /** The ones last used, newest first: of one API key, or of all. */
  list(caller: string | undefined, max: number): readonly SessionRecord[] {
    const rows = this.#database.all(
      `SELECT ${COLUMNS} FROM sessions WHERE is_stateless = 0 AND (?1 IS NULL OR caller = ?1) ORDER BY used_at DESC LIMIT ?2`,
      caller ?? null,
      max,
    );
    return rows.map(read);
  }

  count(): number {
    return Number(this.#database.get("SELECT count(*) AS n FROM sessions WHERE is_stateless = 0")?.["n"]);
  }

  /** A prompt is about to reach the agent under its present name: from here on that session is resumed, not begun. */
  markAgentStarted(id: string): void {
    this.#database.run("UPDATE sessions SET agent_started = 1 WHERE id = ?", id);
  }

  /** The agent never came to life: the session is begun again, not resumed. A name that a branch was tried under is not used again. */
  unmarkAgentStarted(id: string): void {
    this.#database.run(
      "UPDATE sessions SET agent_started = 0, agent_session = iif(origin_mark IS NULL, agent_session, ?) WHERE id = ?",
      randomUUID(),
      id,
    );
  }

  /** What the client's instructions that the agent was told last are, by their hash. */
  setInstructions(id: string, hash: string): void {
    this.#database.run("UPDATE sessions SET instructions = ? WHERE id = ?", hash, id);
  }

  /** Its agent's side of it goes on under a new name, with nothing: it is no branch any more, nor of its family. */
  renewAgentSession(id: string): SessionRecord {
    this.#database.run("UPDATE sessions SET branch_of = NULL, family = ? WHERE id = ?", randomUUID(), id);
    return this.#renew(id, undefined, null);
  }

  /** Its agent's side of it goes on under a new name, from a place where it was told these instructions. */
  branchAgentSession(id: string, origin: AgentPlace, instructions: string | null): SessionRecord {
    return this.#renew(id, origin, instructions);
  }

  /** It is a branch of another session, and of its family. */
  setBranchOf(id: string, parent: string): void {
    this.#database.run(
      "UPDATE sessions SET branch_of = ?2, family = coalesce((SELECT family FROM sessions WHERE id = ?2), id) WHERE id = ?1",
      id,
      parent,
    );
  }

  /** Forgets a session with its turns. Returns whether it was there. */
  delete(id: string): boolean {
    return this.#database.run("DELETE FROM sessions WHERE id = ?", id) > 0;
  }

  /** Forgets the longest unused ones above `max`, none that is at work; first of all what was stateless. */
  prune(max: number): void {
    this.#database.run(
      "DELETE FROM sessions WHERE id NOT IN (SELECT session FROM turns WHERE state IN ('accepted', 'started')) AND id IN (SELECT id FROM sessions ORDER BY is_stateless, used_at DESC LIMIT -1 OFFSET ?)",
      max,
    );
  }

  #renew(id: string, origin: AgentPlace | undefined, instructions: string | null): SessionRecord {
    this.#database.run(
      "UPDATE sessions SET agent_session = ?, agent_started = 0, origin_session = ?, origin_mark = ?, instructions = ? WHERE id = ?",
      randomUUID(),
      origin?.agentSession ?? null,
      origin?.anchor ?? null,
      instructions,
      id,
    );
    return this.get(id);
  }
}

function read(row: Row): SessionRecord {
  const { origin_session: agentSession, origin_mark: anchor, instructions, branch_of: branchOf } = row;
  return {
    id: String(row["id"]),
    key: String(row["key"]),
    agent: String(row["agent"]),
    caller: String(row["caller"]),
    scope: String(row["scope"]),
    agentSession: String(row["agent_session"]),
    agentStarted: row["agent_started"] === 1,
    ...(typeof agentSession === "string" && typeof anchor === "string"
      ? { origin: { agentSession, anchor } }
      : {}),
    instructions: typeof instructions === "string" ? instructions : null,
    ...(typeof branchOf === "string" ? { branchOf } : {}),
    createdAt: Number(row["created_at"]),
    usedAt: Number(row["used_at"]),
  };
}
