import { residentBytes, type CloseReason, type Logger } from "@synthesis/kit";
import { WireFailure, type Locate, type Submit, type WorkerStatus } from "@synthesis/protocol";
import { Bridge } from "./bridge/bridge.ts";
import type { AgentProcess } from "./drivers/agent-process.ts";
import { Journal } from "./journal/journal.ts";
import { ProcessSlots } from "./session/process-slots.ts";
import { Session, type SessionSurroundings } from "./session/session.ts";
import type { TurnSink } from "./turn/turn-sink.ts";
import { Turn } from "./turn/turn.ts";
import type { WorkerConfiguration } from "./worker-configuration.ts";

/** How long an idle process is kept for its session's next turn while others wait for a place. */
const NEXT_TURN_MS = 100;
/** How long a session may keep its place so. */
const LONGEST_HOLD_MS = 30_000;

/** One workspace: its sessions, their processes, its journal. */
export class Workspace {
  readonly #configuration: WorkerConfiguration;
  readonly #log: Logger;
  readonly #bridge: Bridge;
  readonly #journal: Journal;
  readonly #slots: ProcessSlots;
  readonly #surroundings: SessionSurroundings;
  readonly #sessions = new Map<string, Session>();
  readonly #turns = new Map<string, AbortController>();
  #unsolicited = 0;
  #memoryBytes = 0;
  /** Set once it closes: from then on nothing is taken any more. */
  #closing: CloseReason | undefined;

  /** `onChange` is called whenever {@link status} may have changed. Throws where the journal cannot be opened. */
  constructor(configuration: WorkerConfiguration, log: Logger, onChange: () => void) {
    const { limits, journalFile } = configuration;
    this.#configuration = configuration;
    this.#log = log;
    this.#bridge = new Bridge(limits, log, onChange);
    this.#journal = new Journal(journalFile, limits, log);
    this.#slots = new ProcessSlots(limits.processesPerWorkspace, () => this.evictOldest());
    this.#surroundings = {
      configuration,
      log,
      bridge: this.#bridge,
      journal: this.#journal,
      slots: this.#slots,
      onUnsolicited: () => {
        this.#unsolicited++;
        onChange();
      },
      onChange: (session) => {
        if (session.isUnused) this.#sessions.delete(session.id);
        if (this.#slots.isShort && session.idleSince !== undefined) this.#makeRoom(session);
        onChange();
      },
    };
  }

  async start(): Promise<void> {
    const cut = this.#journal.recover();
    if (cut > 0) this.#log.warn("journal.turns_interrupted", { turns: cut });
    await this.#bridge.start();
  }

  /** Runs a turn; everything that comes of it goes to `sink`. */
  submit(order: Submit, sink: TurnSink): void {
    if (this.#closing !== undefined) {
      const message = `the workspace's worker is being ended: ${this.#closing.message}`;
      return sink.refused({ code: "shutting_down", message, retryAfterMs: 1_000 });
    }
    const agent = this.#configuration.agents[order.session.agent];
    if (agent === undefined) {
      return sink.refused({
        code: "model_not_found",
        message: `no agent is called "${order.session.agent}"`,
      });
    }
    const id = order.session.id;
    const session = this.#sessions.get(id) ?? new Session(order.session, agent, this.#surroundings);
    this.#sessions.set(id, session);
    const cancel = new AbortController();
    this.#turns.set(order.turn, cancel);
    const turn = new Turn({
      order,
      sink,
      cancel: cancel.signal,
      journal: this.#journal,
      log: this.#log,
      onOver: () => this.#turns.delete(order.turn),
    });
    void session.run(turn);
  }

  /** Stops a turn, accepted or not. One that is unknown or over is left as it is. */
  cancel(turn: string, reason: string): void {
    this.#turns.get(turn)?.abort(new WireFailure("turn_cancelled", `the turn was cancelled: ${reason}`));
  }

  /**
   * Which session is meant, if its agent remembers it: Claude keeps a transcript, any other program knows
   * what it knows only as long as it lives.
   */
  locate(by: Locate["by"]): string | undefined {
    if (this.#closing !== undefined) return undefined; // a turn for it will be refused
    const id = "session" in by ? by.session : this.#journal.sessionByHead(by.scope, by.head);
    const record = id === undefined ? undefined : this.#journal.session(id);
    if (record === undefined) return undefined;
    const keepsTranscript =
      this.#configuration.agents[record.agent]?.driver === "headless" && record.agentStarted;
    return keepsTranscript || this.#sessions.get(record.id)?.isWarm ? record.id : undefined;
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
      sessions: this.#journal.sessionCount(),
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

  /** Cuts what runs, ends every process, closes the journal. */
  async close(reason: CloseReason): Promise<void> {
    this.#closing ??= reason;
    const closing = new WireFailure("turn_interrupted", `the turn was cut: ${reason.message}`);
    for (const cancel of this.#turns.values()) cancel.abort(closing);
    await Promise.all([...this.#sessions.values()].map((session) => session.close(reason)));
    await this.#bridge.close();
    this.#journal.close();
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
