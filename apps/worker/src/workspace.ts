import { availableParallelism } from "node:os";
import { residentBytes, type CloseReason, type Logger } from "@synthesis/kit";
import {
  WireFailure,
  type FindTurn,
  type Locate,
  type SessionDetail,
  type SessionInfo,
  type Submit,
  type TurnInfo,
  type WorkerStatus,
} from "@synthesis/protocol";
import { AccountHold } from "./account-hold.ts";
import { Bridge } from "./bridge/bridge.ts";
import type { AgentProcess } from "./drivers/agent-process.ts";
import { isDatabaseError } from "./journal/database-error.ts";
import { Journal } from "./journal/journal.ts";
import type { OpenTurn } from "./journal/turn-table.ts";
import { Slots } from "./session/slots.ts";
import { SessionCatalog, sessionNotFound } from "./session/session-catalog.ts";
import { Session, type SessionSurroundings } from "./session/session.ts";
import { TurnOutput } from "./turn/turn-output.ts";
import type { TurnSink } from "./turn/turn-sink.ts";
import { Turn } from "./turn/turn.ts";
import type { WorkerConfiguration } from "./worker-configuration.ts";

/** Measured with Claude Code on two cores: ten at once take 2.3 s each, one after the other 0.3 s each. */
const STARTS_AT_ONCE = Math.max(1, Math.floor(availableParallelism() / 2));
/** How long an idle process is kept for its session's next turn while others wait for a place. */
const NEXT_TURN_MS = 100;
/** How long a session may keep its place so. */
const LONGEST_HOLD_MS = 30_000;

/** serving: takes turns. draining: finishes those it has accepted. closing: ends everything. closed: its journal is. */
type State = "serving" | "draining" | "closing" | "closed";

/** One workspace: its sessions, their processes, its journal. */
export class Workspace {
  readonly account: AccountHold;
  readonly #configuration: WorkerConfiguration;
  readonly #log: Logger;
  readonly #bridge: Bridge;
  readonly #journal: Journal;
  readonly #output: TurnOutput;
  readonly #slots: Slots;
  readonly #surroundings: SessionSurroundings;
  readonly #sessions = new Map<string, Session>();
  readonly #catalog: SessionCatalog;
  readonly #turns = new Map<string, Turn>();
  #state: State = "serving";
  #unsolicited = 0;
  #memoryBytes = 0;
  #sessionCount = 0;
  #whenQuiet = Promise.withResolvers<void>();

  /**
   * `onChange` is called whenever {@link status} may have changed, `onAccountHeld` when its account may not be
   * used any more, or may be again, `onJournalDamage` when only another worker can go on. Throws where the journal
   * cannot be opened.
   */
  constructor(
    configuration: WorkerConfiguration,
    log: Logger,
    onChange: () => void,
    onAccountHeld: (until: number | undefined) => void,
    onJournalDamage: () => void,
  ) {
    const { limits, journalFile: file, epoch } = configuration;
    this.#configuration = configuration;
    this.#log = log;
    this.account = new AccountHold(onAccountHeld);
    this.#bridge = new Bridge(limits, log, onChange);
    this.#journal = new Journal({ file, epoch, limits, log, onDamage: onJournalDamage });
    this.#output = new TurnOutput(this.#journal.events, limits.turnLogBytes, log);
    this.#slots = new Slots(limits.processesPerWorkspace, () => this.evictOldest());
    this.#catalog = new SessionCatalog({ configuration, journal: this.#journal, live: this.#sessions });
    this.#surroundings = {
      configuration,
      log,
      bridge: this.#bridge,
      journal: this.#journal,
      slots: this.#slots,
      starts: new Slots(STARTS_AT_ONCE, () => {}),
      onUnsolicited: () => {
        this.#unsolicited++;
        onChange();
      },
      onAccountHeld: (until) => this.account.hold(until),
      onChange: (session) => {
        if (session.isUnused) this.#sessions.delete(session.id);
        if (this.#slots.isShort && session.idleSince !== undefined) this.#makeRoom(session);
        onChange();
      },
    };
  }

  /** Whether nothing can be asked of it any more. */
  get isClosed(): boolean {
    return this.#state === "closed";
  }

  /** Takes up what a dead worker of this workspace left. */
  async start(): Promise<void> {
    await this.#bridge.start();
    for (const left of this.#journal.recover()) this.#takeUp(left);
  }

  /** Runs a turn; everything that comes of it goes to `sink`. One that is known already is followed from its start. */
  submit(order: Submit, sink: TurnSink): void {
    if (this.#turns.has(order.turn) || this.#journal.turns.isKnown(order.turn))
      return this.follow(order.turn, 0, sink);
    if (this.#state !== "serving") {
      const message = "the workspace's worker is being replaced";
      return sink.refused(order.turn, { code: "worker_draining", message, retryAfterMs: 1_000 });
    }
    if (this.#configuration.agents[order.session.agent] === undefined) {
      const message = `no agent is called "${order.session.agent}"`;
      return sink.refused(order.turn, { code: "model_not_found", message });
    }
    const turn = this.#newTurn(order);
    turn.follow(sink, 0);
    void this.#session(order).run(turn);
  }

  /** Tells `sink` the turn's events after a number, and those to come. */
  follow(id: string, after: number, sink: TurnSink): void {
    const turn = this.#turns.get(id);
    if (turn) return turn.follow(sink, after);
    const record = this.#journal.turns.get(id);
    if (record?.end === undefined) return sink.gone(id);
    const events = this.#output.after(id, after, record.seq - 1);
    if (events === undefined) return sink.gone(id, record.end);
    sink.accepted(id);
    for (const event of events) sink.event(id, event);
    sink.ended(id, record.seq, record.end);
  }

  /**
   * Nobody reads what `sink` is told any more. A turn that is not accepted dies with the gateway that waited for
   * it, whose client may have asked another one already.
   */
  unfollow(sink: TurnSink): void {
    for (const turn of this.#turns.values()) {
      turn.unfollow(sink);
      if (turn.state !== "waiting" || turn.isFollowed) continue;
      this.#turns.delete(turn.id);
      turn.stop(new WireFailure("turn_cancelled", "its gateway is gone"));
    }
  }

  /** The turn that was run for a request, if a repetition of it joins that one. */
  find(caller: string, by: FindTurn["by"]): TurnInfo | undefined {
    this.#journal.settle();
    const found = this.#journal.turns.find(caller, by, Date.now() - this.#configuration.limits.retryMs);
    if (found === undefined) return undefined;
    const live = this.#turns.get(found.turn);
    const isImplicit = "body" in by || "prompt" in by;
    if (isImplicit && live?.isFollowed) return undefined;
    const { caller: _, resumes: __, ...info } = found;
    return live === undefined ? info : { ...info, seq: this.#output.lastSeq(found.turn) };
  }

  /** Its client has the turn's end. */
  take(id: string): void {
    try {
      this.#journal.take(id);
    } catch (error) {
      this.#log.error("journal.write_failed", { turn: id, error: String(error) });
    }
  }

  /** Stops a turn, accepted or not. One that is unknown or over is left as it is. */
  cancel(id: string, reason: string): void {
    this.#turns.get(id)?.stop(new WireFailure("turn_cancelled", `the turn was cancelled: ${reason}`));
  }

  /** Which session is meant, and whether its agent lost it. */
  async locate(by: Locate["by"]): Promise<{ readonly session?: string; readonly reset?: string }> {
    const { sessions } = this.#journal;
    const id = "session" in by ? by.session : sessions.byHead(by.scope, by.head);
    const record = id === undefined ? undefined : sessions.find(id);
    if (record === undefined) return {};
    const reset = await this.#sessionOf(record.id, record.agent, record.key)?.lostMemory();
    return { session: record.id, ...(reset === undefined ? {} : { reset }) };
  }

  /** The sessions last used, newest first: of one API key, or of all. Throws `worker_unavailable` when it closes. */
  sessions(caller?: string): readonly SessionInfo[] {
    return this.#openCatalog().list(caller);
  }

  /** A session, with its latest turns. Throws `session_not_found`, and what {@link sessions} does. */
  session(id: string, caller?: string): SessionDetail {
    return this.#openCatalog().detail(id, caller);
  }

  /** A session as JSON lines; see `session-export.ts`. Rejects with what {@link session} throws. */
  async exportSession(id: string, caller?: string): Promise<AsyncIterable<string>> {
    return this.#openCatalog().export(id, caller);
  }

  /**
   * Cancels what waits or runs of a session, ends its process, and forgets it with its turns; Claude's own transcript
   * stays. Resolves when that is done. Rejects with what {@link session} throws.
   */
  async endSession(id: string, caller?: string): Promise<void> {
    const { agent, key } = this.#openCatalog().find(id, caller);
    for (const turn of this.#turns.values())
      if (turn.order.session.id === id) this.cancel(turn.id, "its session was ended");
    const session = this.#sessionOf(id, agent, key);
    if (session !== undefined) this.#sessions.set(id, session);
    const reason = { code: "ended", message: "its session was ended" };
    const isForgotten = session === undefined ? this.#journal.forget(id) : await session.end(reason);
    if (!isForgotten) throw sessionNotFound(); // another request to end it came first
    this.#log.info("session.ended", { session: id });
  }

  /** Ends the process that has been idle longest, if one is idle. */
  evictOldest(): void {
    const oldest = this.#idleSessions()[0];
    void oldest?.evict({ code: "evicted", message: "its memory or place was needed" });
  }

  /** `memoryBytes` is of the last {@link measure}; all else is of now. */
  status(): WorkerStatus {
    const oldestIdleAt = this.#idleSessions()[0]?.idleSince;
    return {
      processes: this.#processes().length,
      conns: this.#bridge.connections,
      turns: this.#turns.size,
      sessions: this.#countSessions(),
      unsolicited: this.#unsolicited,
      memoryBytes: this.#memoryBytes,
      ...(oldestIdleAt === undefined ? {} : { oldestIdleAt }),
    };
  }

  /** Takes the memory of its agent processes; a file read for each, so now and then only. */
  measure(): void {
    this.#memoryBytes = this.#processes().reduce(
      (sum, { pid }) => sum + (pid === undefined ? 0 : residentBytes(pid)),
      0,
    );
  }

  /** Refuses what is not accepted; resolves when what is has ended. */
  async drain(): Promise<void> {
    if (this.#state === "serving") this.#state = "draining";
    const draining = new WireFailure("worker_draining", "the workspace's worker is being replaced", {
      retryAfterMs: 1_000,
    });
    for (const turn of this.#turns.values()) if (turn.state === "waiting") turn.stop(draining);
    if (this.#turns.size > 0) await this.#whenQuiet.promise;
  }

  /** Cuts what runs, or leaves it to the next worker, ends every process, closes the journal. */
  async close(reason: CloseReason): Promise<void> {
    this.#state = "closing";
    const cut = new WireFailure("turn_interrupted", `the turn was cut: ${reason.message}`);
    const draining = new WireFailure("worker_draining", cut.message, { retryAfterMs: 1_000 });
    for (const turn of this.#turns.values()) {
      const session = this.#sessions.get(turn.order.session.id);
      if (turn.state === "waiting") turn.stop(draining);
      else if (!session?.mayResume(turn)) turn.stop(cut); // else an interrupt would be its end
    }
    await Promise.all([...this.#sessions.values()].map((session) => session.close(reason)));
    await this.#bridge.close();
    this.account.close();
    this.#output.flush();
    this.#state = "closed";
    this.#journal.close();
  }

  /** As last known where the journal cannot be read: a report of how things are must not end them. */
  #countSessions(): number {
    try {
      this.#sessionCount = this.#journal.sessions.count();
    } catch (error) {
      if (!isDatabaseError(error)) throw error;
    }
    return this.#sessionCount;
  }

  /** The catalog, as long as the journal is sure to be open. */
  #openCatalog(): SessionCatalog {
    if (this.#state === "serving" || this.#state === "draining") return this.#catalog;
    const message = "the workspace's worker is being replaced: try again in a moment";
    throw new WireFailure("worker_unavailable", message, { retryAfterMs: 1_000 });
  }

  /** Runs what was accepted and not begun, lets Claude finish what it may, and ends the rest. */
  #takeUp(left: OpenTurn): void {
    const { order, state } = left;
    const turn = this.#newTurn(order, left);
    const session = this.#sessionOf(order.session.id, order.session.agent, order.session.key);
    const isFresh = this.#isFresh(order.turn);
    if (session !== undefined && isFresh && (state === "accepted" || session.mayResume(turn))) {
      this.#sessions.set(session.id, session);
      this.#log.info("turn.taken_up", { turn: order.turn, session: session.id, state });
      void session.run(turn);
      return;
    }
    const message = "the workspace's worker ended within the turn: what it did so far may have had effects";
    turn.end({ state: "interrupted", error: { code: "turn_interrupted", message } });
  }

  /** Nobody wants to be surprised by a prompt of yesterday. */
  #isFresh(id: string): boolean {
    const { acceptedAt = 0 } = this.#journal.turns.get(id) ?? {};
    return Date.now() - acceptedAt < this.#configuration.limits.queueMs;
  }

  #newTurn(order: Submit, left?: OpenTurn): Turn {
    const turn: Turn = new Turn({
      order,
      journal: this.#journal,
      output: this.#output,
      log: this.#log,
      ...(left === undefined ? {} : { left }),
      onOver: () => {
        if (this.#turns.get(order.turn) === turn) this.#turns.delete(order.turn);
        if (this.#turns.size > 0) return;
        this.#whenQuiet.resolve();
        this.#whenQuiet = Promise.withResolvers();
      },
    });
    this.#turns.set(order.turn, turn);
    return turn;
  }

  #session({ session: { id, agent, key } }: Submit): Session {
    const session = this.#sessionOf(id, agent, key);
    if (session === undefined) throw new Error(`no agent is called "${agent}"`);
    this.#sessions.set(id, session);
    return session;
  }

  /** The live session, or one that could be; undefined where its agent is not configured any more. */
  #sessionOf(id: string, agentName: string, key: string): Session | undefined {
    const agent = this.#configuration.agents[agentName];
    if (agent === undefined) return undefined;
    return this.#sessions.get(id) ?? new Session({ id, key }, agent, this.#surroundings);
  }

  /**
   * Others wait for a process, and this session's has become idle. Its next turn may be on its way: to end and
   * start a process for each turn would cost more than to wait for it. But not for ever.
   */
  #makeRoom(session: Session): void {
    const since = session.idleSince;
    const evict = () => {
      if (!this.#slots.isShort || session.idleSince !== since) return;
      void session.evict({ code: "evicted", message: "its place was needed" });
    };
    if (session.processAgeMs > LONGEST_HOLD_MS) evict();
    else setTimeout(evict, NEXT_TURN_MS).unref();
  }

  #processes(): AgentProcess[] {
    return [...this.#sessions.values()].flatMap(({ process }) => process ?? []);
  }

  #idleSessions(): Session[] {
    const idle = [...this.#sessions.values()].filter(({ idleSince }) => idleSince !== undefined);
    return idle.sort((a, b) => (a.idleSince ?? 0) - (b.idleSince ?? 0));
  }
}
