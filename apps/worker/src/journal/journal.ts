import type { Limits } from "@synthesis/config";
import type { Logger } from "@synthesis/kit";
import { WireFailure, type Submit } from "@synthesis/protocol";
import type { PermissionRule } from "../drivers/claude/permission-rule.ts";
import { AllowedRuleTable } from "./allowed-rule-table.ts";
import { Database } from "./database.ts";
import { isDatabaseError } from "./database-error.ts";
import { openDatabase, openUnsynced } from "./open-database.ts";
import { PointTable } from "./point-table.ts";
import { SessionTable, type SessionRecord } from "./session-table.ts";
import { Transcripts, type TurnTranscript } from "./transcripts.ts";
import { TurnEventTable } from "./turn-event-table.ts";
import type { TurnOrigin } from "./turn-origin.ts";
import { TurnTable, type EndOfTurn, type OpenTurn } from "./turn-table.ts";

export interface JournalOptions {
  readonly file: string;
  /** Of the worker that opens it; once opened by a later one, an earlier one can write no edge any more. */
  readonly epoch: number;
  readonly limits: Pick<Limits, "journalTurns" | "sessions" | "joinMs" | "joinableTurns">;
  readonly log: Logger;
  /** Its file turned out to be damaged: only who opens it anew can put that right. Called once. */
  onDamage(): void;
}

/** Turns, and time, between two looks at the bounds. */
const PRUNE_EVERY = 500;
const PRUNE_EVERY_MS = 600_000;

/**
 * What a worker remembers of its sessions and turns: one SQLite file, each edge of a turn written (and synced)
 * before its effect, what it says before anybody is told. Synchronous; throws what SQLite throws, a full disk
 * included.
 */
export class Journal {
  readonly sessions: SessionTable;
  readonly points: PointTable;
  readonly allowedRules: AllowedRuleTable;
  readonly turns: TurnTable;
  readonly events: TurnEventTable;
  readonly #transcripts: Transcripts;
  readonly #options: JournalOptions;
  readonly #synced: Database;
  readonly #unsynced: Database;
  readonly #unsyncedTurns: TurnTable;
  /** The ends that could not be written when they came: at most one for each turn that ran then. */
  readonly #owed: ((now: number) => void)[] = [];
  #pruned = { at: 0, accepted: 0 };
  #state: "sound" | "damaged" = "sound";

  /** Throws where a worker of a later epoch owns it. */
  constructor(options: JournalOptions) {
    const { file, epoch, log } = options;
    this.#options = options;
    const onDamage = () => this.#noteDamage();
    this.#synced = new Database(openDatabase(file, log), onDamage);
    this.#unsynced = new Database(openUnsynced(file), onDamage);
    this.sessions = new SessionTable(this.#synced);
    this.points = new PointTable(this.#synced);
    this.allowedRules = new AllowedRuleTable(this.#synced);
    this.#transcripts = new Transcripts(this);
    this.turns = new TurnTable(this.#synced);
    this.#unsyncedTurns = new TurnTable(this.#unsynced);
    this.events = new TurnEventTable(this.#unsynced);
    if (this.#synced.run("UPDATE owner SET epoch = ?1 WHERE epoch <= ?1", epoch) === 1) return;
    this.close();
    throw this.#fenced();
  }

  /** The turns that a dead worker left without an end. */
  recover(): readonly OpenTurn[] {
    const error = { code: "turn_interrupted", message: "its worker ended within the turn" } as const;
    this.turns.endUnreadable({ state: "interrupted", error }, Date.now());
    this.#prune();
    return this.turns.open();
  }

  /**
   * The session that `submit` names, made where it is new and brought to where the turn goes on from, with its turn:
   * accepted. Throws `idempotency_conflict` where another turn has its key.
   */
  accept(order: Submit, origin: TurnOrigin = { kind: "end" }): SessionRecord {
    this.#settle();
    if (this.#pruned.accepted++ >= PRUNE_EVERY) this.#prune();
    const { request } = order;
    return this.#edge((now) => {
      this.sessions.use(order, now);
      const { key } = request;
      if (key !== undefined && this.turns.find(request.caller, { key }, 0) !== undefined) {
        const message =
          "a turn with this Idempotency-Key is at work already: send the request again to join it";
        throw new WireFailure("idempotency_conflict", message, { retryAfterMs: 1_000 });
      }
      this.turns.insert(order, now);
      return this.#transcripts.accept(order, origin);
    });
  }

  /** `anchor`: the agent's name for the prompt, where its conversation can branch off there. */
  start(turn: string, session: string, anchor?: string): void {
    this.#edge((now) => {
      this.turns.start(turn, now);
      this.#transcripts.start(turn, session, anchor);
    });
  }

  /** The prompt is written again, to another process. */
  startAgain(turn: string, session: string, anchor?: string): void {
    this.#edge(() => this.#transcripts.start(turn, session, anchor));
  }

  /**
   * The turn's one end, and what it leaves in its session. One that SQLite cannot write now is owed: it is written
   * before another turn is accepted.
   */
  end(session: string, ending: EndOfTurn, left: TurnTranscript): void {
    const write = (now: number) => {
      this.turns.end(ending, now);
      this.#transcripts.end(ending.turn, session, left);
    };
    try {
      this.#edge(write);
    } catch (error) {
      if (isDatabaseError(error)) this.#owed.push(write);
      throw error;
    }
  }

  /** A worker takes up what another one left: written before it runs that. */
  takeUp(turn: string): void {
    this.#edge(() => this.turns.noteTakeUp(turn));
  }

  /** The turn is finished by another process: written before that one is started. */
  resume(turn: string): void {
    this.#edge(() => this.turns.noteResume(turn));
  }

  /** The agent lost its side of a session: it goes on with nothing but what this turn tells it. */
  renew(session: string, turn: string): void {
    this.#edge(() => this.#transcripts.renew(session, turn));
  }

  /** A person allowed these for good in a session: written before its agent is told. */
  allow(session: string, rules: readonly PermissionRule[]): void {
    this.#edge(() => this.allowedRules.add(session, rules));
  }

  /** Keeps to its bounds also when no turn comes. Cheap: it does something every ten minutes. */
  tidy(): void {
    if (performance.now() - this.#pruned.at > PRUNE_EVERY_MS) this.#prune();
  }

  /** Writes the ends that are owed, as far as that is possible now. */
  settle(): void {
    try {
      this.#settle();
    } catch (error) {
      this.#options.log.error("journal.write_failed", { owed: this.#owed.length, error: String(error) });
    }
  }

  /** The client has the turn's end. Not synced: forgotten in a power failure, a retry would join the turn. */
  take(turn: string): void {
    this.#unsyncedTurns.take(turn, Date.now());
  }

  /** Forgets a session with its turns and what they said. Returns whether it was there. */
  forget(session: string): boolean {
    return this.#edge(() => this.sessions.delete(session));
  }

  close(): void {
    this.settle();
    this.#unsynced.close();
    this.#synced.close();
  }

  #settle(): void {
    for (let write = this.#owed[0]; write !== undefined; write = this.#owed[0]) {
      try {
        this.#edge(write);
      } catch (error) {
        if (isDatabaseError(error)) throw error;
        this.#options.log.error("journal.end_dropped", { error: String(error) }); // its session was deleted
      }
      this.#owed.shift();
    }
  }

  /** A transaction that this epoch may still write. */
  #edge<T>(body: (now: number) => T): T {
    return this.#synced.transaction(() => {
      if (this.#synced.get("SELECT epoch FROM owner")?.["epoch"] !== this.#options.epoch)
        throw this.#fenced();
      return body(Date.now());
    });
  }

  #noteDamage(): void {
    if (this.#state === "damaged") return;
    this.#state = "damaged";
    this.#options.log.error("journal.damaged", { file: this.#options.file });
    this.#options.onDamage();
  }

  #fenced(): Error {
    const { file, epoch } = this.#options;
    return new Error(`${file} belongs to a worker later than epoch ${epoch}`);
  }

  #prune(): void {
    const { journalTurns, sessions, joinMs, joinableTurns } = this.#options.limits;
    this.#pruned = { at: performance.now(), accepted: 0 };
    this.points.forgetTurns(this.turns.prune(journalTurns));
    this.sessions.prune(sessions);
    const keptSince = Date.now() - joinMs;
    this.turns.freeKeys(keptSince);
    this.events.prune(keptSince, joinableTurns);
    this.#synced.shrink();
  }
}
