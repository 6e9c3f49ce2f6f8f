import { Submit, TurnEnd, type FindTurn, type TurnInfo } from "@synthesis/protocol";
import { statesBefore, type TurnState } from "../turn/turn-state.ts";
import type { Database, Row } from "./database.ts";

/** A turn as the journal remembers it. */
export interface TurnRecord extends TurnInfo {
  readonly caller: string;
  /** How often Claude was asked to finish it after its process had died. */
  readonly resumes: number;
}

/** An accepted turn that has no end, with all that is needed to run it. */
export interface OpenTurn {
  readonly order: Submit;
  readonly state: "accepted" | "started";
  readonly resumes: number;
  /** How many workers have taken it up before. */
  readonly takeUps: number;
}

interface OpenRow extends Omit<OpenTurn, "order"> {
  readonly id: string;
  readonly order: Submit | undefined;
  readonly lastSeq: number;
}

/** What the journal is told of a turn's end. */
export interface EndOfTurn {
  readonly turn: string;
  readonly end: TurnEnd;
  /** The end's own number. */
  readonly seq: number;
  /** It failed or was cancelled before anything came of it: a repetition of its request runs anew. */
  readonly isVoid: boolean;
}

const COLUMNS =
  "turns.id, session, agent, state, turns.caller, request_body, request_prompt, last_seq, accepted_at, ended_at, end_frame, resumes";

/** The turns of a workspace: each state change follows the table of legal edges. */
export class TurnTable {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  isKnown(id: string): boolean {
    return this.#database.get("SELECT 1 FROM turns WHERE id = ?", id) !== undefined;
  }

  insert(order: Submit, now: number): void {
    const { turn, session, request } = order;
    if (request.key !== undefined) {
      this.#database.run(
        `UPDATE turns SET request_key = NULL WHERE caller = ? AND request_key = ? AND is_void = 1`,
        request.caller,
        request.key,
      );
    }
    this.#database.run(
      "INSERT INTO turns (id, session, state, accepted_at, caller, request_key, request_body, request_prompt, submit_frame) VALUES (?, ?, 'accepted', ?, ?, ?, ?, ?, ?)",
      turn,
      session.id,
      now,
      request.caller,
      request.key ?? null,
      request.body,
      request.prompt,
      JSON.stringify(order),
    );
  }

  /** Written before the prompt is: from here on it is never run again by itself. */
  start(id: string, now: number): void {
    this.#moved(
      id,
      "started",
      this.#database.run(
        `UPDATE turns SET state = 'started', started_at = ? WHERE id = ? AND ${from("started")}`,
        now,
        id,
      ),
    );
  }

  /** Its one end. */
  end({ turn: id, end, seq, isVoid }: EndOfTurn, now: number): void {
    this.#moved(
      id,
      end.state,
      this.#database.run(
        `UPDATE turns SET state = ?, ended_at = ?, error_code = ?, end_frame = ?, last_seq = ?, is_void = ?, submit_frame = NULL WHERE id = ? AND ${from(end.state)}`,
        end.state,
        now,
        end.state === "completed" ? null : end.error.code,
        JSON.stringify(end),
        seq,
        isVoid ? 1 : 0,
        id,
      ),
    );
  }

  noteResume(id: string): void {
    this.#database.run("UPDATE turns SET resumes = resumes + 1 WHERE id = ?", id);
  }

  /** A worker takes up what another one left. */
  noteTakeUp(id: string): void {
    this.#database.run("UPDATE turns SET take_ups = take_ups + 1 WHERE id = ?", id);
  }

  /** Its client has the end. */
  take(id: string, now: number): void {
    this.#database.run("UPDATE turns SET taken_at = ? WHERE id = ? AND taken_at IS NULL", now, id);
  }

  /** A turn of this API key. By body or prompt: the latest one that runs, or was admitted since `since` (epoch ms), and was never taken. */
  find(caller: string, by: FindTurn["by"], since: number): TurnRecord | undefined {
    if ("turn" in by) return this.#one("turns.id = ? AND turns.caller = ?", by.turn, caller);
    if ("key" in by) return this.#one("turns.caller = ? AND request_key = ? AND is_void = 0", caller, by.key);
    const [column, hash] = "body" in by ? ["request_body", by.body] : ["request_prompt", by.prompt];
    return this.#one(
      `turns.caller = ? AND ${column} = ? AND (accepted_at >= ? OR ended_at IS NULL) AND taken_at IS NULL AND is_void = 0 AND state <> 'cancelled' ORDER BY turns.rowid DESC LIMIT 1`,
      caller,
      hash,
      since,
    );
  }

  get(id: string): TurnRecord | undefined {
    return this.#one("turns.id = ?", id);
  }

  /** The latest turns of a session, at most `max`, oldest first. */
  ofSession(session: string, max: number): readonly TurnRecord[] {
    return this.#many("session = ? ORDER BY turns.rowid DESC LIMIT ?", session, max).toReversed();
  }

  /** The ids of all turns of a session, oldest first. */
  idsOfSession(session: string): readonly string[] {
    const rows = this.#database.all("SELECT id FROM turns WHERE session = ? ORDER BY rowid", session);
    return rows.map(({ id }) => String(id));
  }

  countOfSession(session: string): number {
    return Number(this.#database.get("SELECT count(*) AS n FROM turns WHERE session = ?", session)?.["n"]);
  }

  /** The turns without an end, oldest first; those that cannot be read are left out. */
  open(): readonly OpenTurn[] {
    return this.#openRows().flatMap(({ order, state, resumes, takeUps }) =>
      order ? [{ order, state, resumes, takeUps }] : [],
    );
  }

  /** Ends what was left open and cannot be run: another version of Synthesis wrote it. */
  endUnreadable(end: TurnEnd, now: number): void {
    for (const { id, order, lastSeq } of this.#openRows())
      if (order === undefined) this.end({ turn: id, end, seq: lastSeq + 1, isVoid: false }, now);
  }

  /** Gives the keys of turns free that ended before `before` (epoch ms): their answers are not kept any more. */
  freeKeys(before: number): void {
    this.#database.run(
      "UPDATE turns SET request_key = NULL WHERE request_key IS NOT NULL AND ended_at < ?",
      before,
    );
  }

  /**
   * Forgets the oldest turns above `max`, none that is open; by their order, since the clock may have been set back.
   * Returns their ids.
   */
  prune(max: number): readonly string[] {
    const rows = this.#database.all(
      "DELETE FROM turns WHERE state NOT IN ('accepted', 'started') AND rowid IN (SELECT rowid FROM turns ORDER BY rowid DESC LIMIT -1 OFFSET ?) RETURNING id",
      max,
    );
    return rows.map(({ id }) => String(id));
  }

  #openRows(): readonly OpenRow[] {
    const rows = this.#database.all(
      "SELECT id, submit_frame, state, resumes, take_ups, (SELECT max(seq) FROM turn_events WHERE turn = id) AS seq FROM turns WHERE state IN ('accepted', 'started') ORDER BY rowid",
    );
    return rows.map((row) => ({
      id: String(row["id"]),
      order: readOrder(row["submit_frame"]),
      state: row["state"] === "accepted" ? "accepted" : "started",
      resumes: Number(row["resumes"]),
      takeUps: Number(row["take_ups"]),
      lastSeq: Number(row["seq"] ?? 0),
    }));
  }

  #one(where: string, ...values: (string | number)[]): TurnRecord | undefined {
    return this.#many(where, ...values)[0];
  }

  #many(where: string, ...values: (string | number)[]): readonly TurnRecord[] {
    const rows = this.#database.all(
      `SELECT ${COLUMNS} FROM turns JOIN sessions ON sessions.id = turns.session WHERE ${where}`,
      ...values,
    );
    return rows.map(read);
  }

  #moved(id: string, to: TurnState, changes: number): void {
    if (changes === 1) return;
    throw new Error(`turn ${id} cannot become ${to}: it is not ${statesBefore(to).join(" or ")}`);
  }
}

/** The legal edges to a state, as a condition. */
function from(to: TurnState): string {
  return `state IN (${statesBefore(to)
    .map((state) => `'${state}'`)
    .join(", ")})`;
}

function readOrder(frame: unknown): Submit | undefined {
  try {
    return Submit.safeParse(JSON.parse(String(frame))).data;
  } catch {
    return undefined;
  }
}

function read(row: Row): TurnRecord {
  return {
    turn: String(row["id"]),
    session: String(row["session"]),
    agent: String(row["agent"]),
    state: row["state"] as TurnState,
    caller: String(row["caller"]),
    body: String(row["request_body"]),
    prompt: String(row["request_prompt"]),
    seq: Number(row["last_seq"]),
    acceptedAt: Number(row["accepted_at"]),
    resumes: Number(row["resumes"]),
    ...(row["ended_at"] === null ? {} : { endedAt: Number(row["ended_at"]) }),
    ...(typeof row["end_frame"] === "string" ? { end: TurnEnd.parse(JSON.parse(row["end_frame"])) } : {}),
  };
}
