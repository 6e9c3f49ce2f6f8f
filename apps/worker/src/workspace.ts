import { residentBytes, type CloseReason, type Logger } from "@synthesis/kit";
import {
  WireFailure,
  type FindTurn,
  type Locate,
  type Located,
  type Prompt,
  type SessionDetail,
  type SessionInfo,
  type Submit,
  type TurnInfo,
  type WorkerStatus,
} from "@synthesis/protocol";
import { AccountHold } from "./account-hold.ts";
import { WorkspaceAsks } from "./asks/workspace-asks.ts";
import { Bridge } from "./bridge/bridge.ts";
import { FileStore } from "./files/file-store.ts";
import { privateFolder } from "./files/private-folder.ts";
import { ReceivedFiles } from "./files/received-files.ts";
import { isDatabaseError } from "./journal/database-error.ts";
import { Journal } from "./journal/journal.ts";
import type { OpenTurn } from "./journal/turn-table.ts";
import { locateSession } from "./session/locate-session.ts";
import { SessionCatalog, sessionNotFound } from "./session/session-catalog.ts";
import { WorkspaceSessions } from "./session/workspace-sessions.ts";
import { LiveClaudes } from "./drivers/live/live-claudes.ts";
import type { TerminalChild } from "./terminal/terminal-child.ts";
import type { TurnSink } from "./turn/turn-sink.ts";
import { WorkspaceTurns } from "./turn/workspace-turns.ts";
import type { WorkerConfiguration } from "./worker-configuration.ts";

export interface WorkspaceOptions {
  readonly configuration: WorkerConfiguration;
  readonly log: Logger;
  /** {@link Workspace.status} may have changed. */
  onChange(): void;
  /** Its account may not be used till then (epoch ms); undefined: it may be again. */
  onAccountHeld(until: number | undefined): void;
  /** Its journal is damaged: only another worker can go on. */
  readonly onJournalDamage: () => void;
}

/** What is known of a session that is asked for. */
export type LocatedSession = Omit<Located, "type" | "request">;

/** A turn whose workers all end may be why. */
const MAX_TAKE_UPS = 8;

/** serving: takes turns. draining: finishes those it has accepted. closing: ends everything. closed: its journal is. */
type State = "serving" | "draining" | "closing" | "closed";

/** One workspace: its sessions, their processes, its journal. */
export class Workspace {
  readonly account: AccountHold;
  readonly liveClaudes: LiveClaudes;
  /** What its agents ask people. */
  readonly asks: WorkspaceAsks;
  /** What its agents attached to answers. */
  readonly files: FileStore;
  readonly #configuration: WorkerConfiguration;
  readonly #log: Logger;
  /** What clients sent to its agents. */
  readonly #received: ReceivedFiles;
  readonly #bridge: Bridge;
  readonly #journal: Journal;
  readonly #turns: WorkspaceTurns;
  readonly #sessions: WorkspaceSessions;
  readonly #catalog: SessionCatalog;
  #state: State = "serving";
  #unsolicited = 0;
  #memoryBytes = 0;
  #sessionCount = 0;

  /** Throws where the journal cannot be opened. */
  constructor(options: WorkspaceOptions) {
    const { configuration, log, onJournalDamage: onDamage } = options;
    const { limits, journalFile: file, filesDir: folder, receivedDir, epoch } = configuration;
    this.#configuration = configuration;
    this.#log = log;
    this.account = new AccountHold((until) => options.onAccountHeld(until));
    this.#bridge = new Bridge(limits, log, () => options.onChange());
    const journal = new Journal({ file, epoch, limits, log, onDamage });
    this.#journal = journal;
    this.#turns = new WorkspaceTurns({ journal, limits, log });
    this.asks = new WorkspaceAsks(log);
    this.files = new FileStore({ folder, limits, log });
    this.#received = new ReceivedFiles({ folder: privateFolder(receivedDir, log), limits, log });
    const surroundings = {
      configuration,
      log,
      bridge: this.#bridge,
      received: this.#received,
      onUnsolicited: () => {
        this.#unsolicited++;
        options.onChange();
      },
    };
    this.liveClaudes = new LiveClaudes(surroundings);
    this.#sessions = new WorkspaceSessions({
      ...surroundings,
      liveClaudes: this.liveClaudes,
      journal,
      asks: this.asks,
      files: this.files,
      onAccountHeld: (until) => this.account.hold(until),
      onChange: () => options.onChange(),
    });
    this.#catalog = new SessionCatalog({ configuration, journal, live: this.#sessions.live });
  }

  /** Whether nothing can be asked of it any more. */
  get isClosed(): boolean {
    return this.#state === "closed";
  }

  /** Takes up what a dead worker of this workspace left. */
  async start(): Promise<void> {
    this.files.start();
    this.#received.start();
    await this.#bridge.start();
    for (const left of this.#journal.recover()) this.#takeUp(left);
  }

  /** Runs a turn; everything that comes of it goes to `sink`. One that is known already is followed from its start. */
  submit(order: Submit, sink: TurnSink): void {
    if (this.#turns.isKnown(order.turn)) return this.#turns.follow(order.turn, 0, sink);
    if (this.#state !== "serving") return sink.refused(order.turn, draining().error);
    const { id, agent } = order.session;
    const owner = this.#sessions.live.get(id)?.agent ?? this.#journal.sessions.find(id)?.agent ?? agent;
    if (owner !== agent) {
      const message = `the session is one of agent "${owner}": "${agent}" can go on from it in a session of its own`;
      return sink.refused(order.turn, { code: "invalid_request", message });
    }
    const session = this.#sessions.find(order.session);
    if (session === undefined) {
      const message = `no agent is called "${agent}"`;
      return sink.refused(order.turn, { code: "model_not_found", message });
    }
    const turn = this.#turns.add(order);
    turn.follow(sink, 0);
    this.#sessions.run(session, turn);
  }

  /** Tells `sink` the turn's events after a number, and those to come. */
  follow(id: string, after: number, sink: TurnSink): void {
    this.#turns.follow(id, after, sink);
  }

  /** Nobody reads what `sink` is told any more. */
  unfollow(sink: TurnSink): void {
    this.#turns.unfollow(sink);
  }

  /** The turn that was run for a request, if a repetition of it joins that one. */
  find(caller: string, by: FindTurn["by"]): TurnInfo | undefined {
    return this.#turns.find(caller, by);
  }

  /** Its client has the turn's end. */
  take(id: string): void {
    this.#turns.take(id);
  }

  /** Stops a turn, accepted or not. One that is over stays as it ended; where that was with a question, it is denied. */
  cancel(id: string, why: string): void {
    this.#turns.cancel(id, why);
    for (const session of this.#sessions.live.values()) session.cancelPaused(id, why);
  }

  /** Says something to the agent within a running turn: see `TurnSteers.say`. */
  async steer(id: string, message: string, prompt: Prompt): Promise<number | undefined> {
    return this.#turns.steer(id, message, prompt);
  }

  /** Takes back what was said within a running turn: see `TurnSteers.withdraw`. */
  withdrawSteer(id: string, message: string): void {
    this.#turns.withdrawSteer(id, message);
  }

  /** Which session is meant, up to which point a turn can follow its transcript, and whether its agent lost it. */
  async locate(by: Locate["by"]): Promise<LocatedSession> {
    const { id, point } = locateSession(by, this.#journal);
    const record = id === undefined ? undefined : this.#journal.sessions.find(id);
    if (record === undefined) return {};
    const reset = await this.#sessions.find(record)?.lostMemory();
    return {
      session: record.id,
      agent: record.agent,
      key: record.key,
      ...(point?.hash == null ? {} : { point: point.hash, isHead: point.isHead }),
      ...(reset === undefined ? {} : { reset }),
    };
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
    const record = this.#openCatalog().find(id, caller);
    const reason = { code: "ended", message: "its session was ended" };
    this.#turns.cancelSession(id, reason.message);
    const session = this.#sessions.find(record);
    const isForgotten =
      session === undefined ? this.#journal.forget(id) : await this.#sessions.end(session, reason);
    if (!isForgotten) throw sessionNotFound(); // another request to end it came first
    await this.#received.forget(id);
    this.#log.info("session.ended", { session: id });
  }

  /** The terminal that a session's agent runs in. Throws `session_not_found`, and `invalid_request` where there is none now. */
  terminal(id: string): TerminalChild {
    this.#openCatalog().find(id, undefined);
    const process = this.#sessions.live.get(id)?.process;
    if (process?.terminal !== undefined && process.isAlive) return process.terminal;
    const message = `the session ${id} has no terminal now: only an agent with driver: channel and terminal: own has one, from a message on till it is evicted`;
    throw new WireFailure("invalid_request", message);
  }

  /** Ends the process that has been idle longest, or, where none is, has waited too long for a person. */
  evictOldest(): void {
    this.#sessions.evictOldest();
  }

  /** `memoryBytes` is of the last {@link lookAfter}; all else is of now. */
  status(): WorkerStatus {
    const { spareSince, processes } = this.#sessions;
    return {
      processes: processes.length,
      conns: this.#bridge.connections,
      turns: this.#turns.size,
      sessions: this.#countSessions(),
      unsolicited: this.#unsolicited,
      memoryBytes: this.#memoryBytes,
      ...spareSince,
    };
  }

  /** Takes the memory of its agent processes, a file read for each, and keeps journal and files tidy: for now and then. */
  lookAfter(): void {
    this.#tidy();
    this.files.tidy();
    this.#received.tidy();
    const pids = this.#sessions.processes.flatMap(({ pid }) => pid ?? []);
    this.#memoryBytes = pids.reduce((sum, pid) => sum + residentBytes(pid), 0);
  }

  /** Refuses what is not accepted; denies what is asked; resolves when what is accepted has ended. */
  async drain(): Promise<void> {
    if (this.#state === "serving") this.#state = "draining";
    this.#turns.refuseWaiting(draining());
    this.asks.drain();
    await this.#turns.whenNone();
  }

  /** Cuts what runs, or leaves it to the next worker, ends every process, closes the journal. */
  async close(reason: CloseReason): Promise<void> {
    this.#state = "closing";
    this.#turns.refuseWaiting(draining());
    const cut = new WireFailure("turn_interrupted", `the turn was cut: ${reason.message}`);
    for (const turn of this.#turns.live) {
      const mayResume = this.#sessions.live.get(turn.order.session.id)?.mayResume(turn);
      if (!mayResume) turn.stop(cut); // else an interrupt would be its end
    }
    await this.#sessions.close(reason);
    await this.liveClaudes.close(reason);
    await this.#bridge.close();
    this.account.close();
    this.#turns.flush();
    this.#state = "closed";
    this.#journal.close();
  }

  #tidy(): void {
    try {
      this.#journal.tidy();
    } catch (error) {
      this.#log.error("journal.write_failed", { error: String(error) });
    }
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
    const { order, state, takeUps } = left;
    const turn = this.#turns.add(order, left);
    const session = this.#sessions.find(order.session);
    turn.dropAsks();
    const mayRun = state === "accepted" || session?.mayResume(turn) === true;
    if (session !== undefined && mayRun && this.#isFresh(order.turn) && takeUps < MAX_TAKE_UPS) {
      this.#journal.takeUp(order.turn);
      this.#log.info("turn.taken_up", { turn: order.turn, session: session.id, state });
      return this.#sessions.run(session, turn);
    }
    const message = "the workspace's worker ended within the turn: what it did so far may have had effects";
    turn.end({ state: "interrupted", error: { code: "turn_interrupted", message } });
  }

  /** Nobody wants to be surprised by a prompt of yesterday. */
  #isFresh(id: string): boolean {
    const { acceptedAt = 0 } = this.#journal.turns.get(id) ?? {};
    return Date.now() - acceptedAt < this.#configuration.limits.queueMs;
  }
}

function draining(): WireFailure {
  const message = "the workspace's worker is being replaced";
  return new WireFailure("worker_draining", message, { retryAfterMs: 1_000 });
}
