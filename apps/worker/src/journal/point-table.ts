import type { Database, Row } from "./database.ts";
import type { AgentPlace } from "./session-table.ts";

/** A point of a session's transcript: after what the client said in a turn (prompt), or after its agent's answer. */
export interface Point {
  readonly session: string;
  /** In the order of the session. */
  readonly position: number;
  /** Of the transcript up to here; null where it is not known: then nobody can name it. */
  readonly hash: string | null;
  /** Where the agent's conversation can branch off here; undefined: nowhere. */
  readonly place?: AgentPlace;
  /** Hash of the client's instructions that the agent was told up to here; null: of none. */
  readonly instructions: string | null;
  /**
   * Its session goes on from here. So it does after the prompt of its last turn where that one was cut: what there
   * is of an answer a client may drop, and the agent knows what happened.
   */
  readonly isHead: boolean;
}

/** What is written of a point. */
export interface NewPoint {
  readonly session: string;
  readonly scope: string;
  readonly hash: string | undefined;
  readonly turn: string;
  readonly kind: "prompt" | "answer";
  readonly place?: AgentPlace | undefined;
  readonly instructions: string | null;
}

/** A branch has the last so many of the points before it. */
const INHERITED_POINTS = 64;

/** What comes later in its session, unless that is the cut answer to this very prompt. */
const IS_HEAD = `NOT EXISTS (
  SELECT 1 FROM points AS later
  WHERE later.session = points.session AND later.position > points.position AND NOT (
    later.turn = points.turn
    AND coalesce((SELECT state FROM turns WHERE id = later.turn), '') IN ('failed', 'cancelled', 'interrupted')
  )
)`;
const COLUMNS = `points.session, position, hash, points.agent_session, mark, points.instructions, ${IS_HEAD} AS is_head`;
/** The points with a hash of a scope's sessions that a turn can follow. */
const OF_SCOPE = `FROM points JOIN sessions ON sessions.id = points.session
  WHERE points.scope = ?1 AND hash = ?2 AND (mark IS NOT NULL AND points.agent_session IS NOT NULL OR ${IS_HEAD})`;

/** The points of the transcripts of all sessions, by which a client's transcript is found again. */
export class PointTable {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /** Puts a point at the end of its session's. */
  add({ session, scope, hash, turn, kind, place, instructions }: NewPoint): void {
    this.#database.run(
      "INSERT INTO points (session, position, scope, hash, turn, kind, agent_session, mark, instructions) SELECT ?1, coalesce(max(position), 0) + 1, ?2, ?3, ?4, ?5, ?6, ?7, ?8 FROM points WHERE session = ?1",
      session,
      scope,
      hash ?? null,
      turn,
      kind,
      place?.agentSession ?? null,
      place?.anchor ?? null,
      instructions,
    );
  }

  /** A turn's prompt is about to reach the agent: from here on its conversation has that place. */
  setPlace(session: string, turn: string, { agentSession, anchor }: AgentPlace): void {
    this.#database.run(
      "UPDATE points SET agent_session = ?, mark = ? WHERE session = ? AND turn = ?",
      agentSession,
      anchor,
      session,
      turn,
    );
  }

  /** Whether anything is known to have been said in a session. */
  hasAny(session: string): boolean {
    return this.#database.get("SELECT 1 FROM points WHERE session = ? LIMIT 1", session) !== undefined;
  }

  /** The point of a session with this hash. */
  find({ id, scope }: { readonly id: string; readonly scope: string }, hash: string): Point | undefined {
    return this.#one(
      "scope = ? AND hash = ? AND session = ? ORDER BY position DESC LIMIT 1",
      scope,
      hash,
      id,
    );
  }

  /** The latest of these points (latest first) that a session has and a turn can follow. */
  latestOf(
    { id, scope }: { readonly id: string; readonly scope: string },
    hashes: readonly string[],
  ): Point | undefined {
    for (const hash of hashes) {
      const point = this.find({ id, scope }, hash);
      if (point && (point.isHead || point.place)) return point;
    }
    return undefined;
  }

  /**
   * The latest of these points (latest first) that sessions of a scope have and a turn can follow, in the one of
   * them that has it; none where two have it, for identity is never guessed. Sessions that branched off each other
   * are one conversation up to there: whose end it is goes first, the last used of several, then the oldest.
   */
  latestOfOne(scope: string, hashes: readonly string[]): Point | undefined {
    for (const hash of hashes) {
      const family = this.#database.get(`SELECT family ${OF_SCOPE} LIMIT 1`, scope, hash)?.["family"];
      if (typeof family !== "string") continue;
      const other = this.#database.get(`SELECT 1 ${OF_SCOPE} AND family <> ?3 LIMIT 1`, scope, hash, family);
      if (other !== undefined) return undefined;
      const row = this.#database.get(
        `SELECT ${COLUMNS} ${OF_SCOPE} ORDER BY is_head DESC, iif(is_head, -used_at, created_at), sessions.rowid LIMIT 1`,
        scope,
        hash,
      );
      return row && read(row);
    }
    return undefined;
  }

  /** Where a turn ended. */
  endOf(session: string, turn: string): Point | undefined {
    return this.#one("session = ? AND turn = ? ORDER BY position DESC LIMIT 1", session, turn);
  }

  /** The last turn of a session's transcript but this one. */
  turnBefore(session: string, turn: string): string | undefined {
    const row = this.#database.get(
      "SELECT turn FROM points WHERE session = ? AND turn <> ? ORDER BY position DESC LIMIT 1",
      session,
      turn,
    );
    return row && String(row["turn"]);
  }

  /** Where the last answer before a turn ended, if that is what came last before it. */
  answerBefore(session: string, turn: string): AgentPlace | undefined {
    const row = this.#database.get(
      "SELECT kind, agent_session, mark FROM points WHERE session = ? AND turn <> ? ORDER BY position DESC LIMIT 1",
      session,
      turn,
    );
    return row?.["kind"] === "answer" ? placeOf(row) : undefined;
  }

  /** Gives a session the last points up to one of another session's. */
  inherit(
    { id, scope }: { readonly id: string; readonly scope: string },
    { session: from, position }: Point,
  ): void {
    this.#database.run(
      "INSERT INTO points SELECT ?1, position, ?2, hash, turn, kind, agent_session, mark, instructions FROM points WHERE session = ?3 AND position <= ?4 AND position > ?4 - ?5",
      id,
      scope,
      from,
      position,
      INHERITED_POINTS,
    );
  }

  /** The client dropped what came after a position. */
  dropAfter(session: string, position: number): void {
    this.#database.run("DELETE FROM points WHERE session = ? AND position > ?", session, position);
  }

  /** A turn came to nothing. */
  dropTurn(session: string, turn: string): void {
    this.#database.run("DELETE FROM points WHERE session = ? AND turn = ?", session, turn);
  }

  /** Its agent's conversation is lost but for what it is told in this turn. */
  dropAllBut(session: string, turn: string): void {
    this.#database.run("DELETE FROM points WHERE session = ? AND turn <> ?", session, turn);
  }

  /** Forgets the points of turns, but not where a session ends. */
  forgetTurns(turns: readonly string[]): void {
    for (const turn of turns)
      this.#database.run(
        "DELETE FROM points WHERE turn = ? AND position < (SELECT max(position) FROM points AS last WHERE last.session = points.session)",
        turn,
      );
  }

  #one(where: string, ...values: (string | number)[]): Point | undefined {
    const row = this.#database.get(`SELECT ${COLUMNS} FROM points WHERE ${where}`, ...values);
    return row && read(row);
  }
}

function read(row: Row): Point {
  const { hash, instructions } = row;
  const place = placeOf(row);
  return {
    session: String(row["session"]),
    position: Number(row["position"]),
    hash: typeof hash === "string" ? hash : null,
    ...(place === undefined ? {} : { place }),
    instructions: typeof instructions === "string" ? instructions : null,
    isHead: row["is_head"] === 1,
  };
}

function placeOf({ agent_session: agentSession, mark: anchor }: Row): AgentPlace | undefined {
  return typeof agentSession === "string" && typeof anchor === "string"
    ? { agentSession, anchor }
    : undefined;
}
