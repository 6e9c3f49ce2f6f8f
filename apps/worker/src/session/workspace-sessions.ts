import { availableParallelism } from "node:os";
import type { CloseReason } from "@synthesis/kit";
import type { WorkerStatus } from "@synthesis/protocol";
import type { WorkspaceAsks } from "../asks/workspace-asks.ts";
import type { AgentProcess } from "../drivers/agent-process.ts";
import type { AgentSurroundings } from "../drivers/open-agent.ts";
import type { FileStore } from "../files/file-store.ts";
import type { Journal } from "../journal/journal.ts";
import type { Turn } from "../turn/turn.ts";
import type { SessionRef } from "./session-agent.ts";
import { Session, type SessionSurroundings } from "./session.ts";
import { Slots } from "./slots.ts";

/** Measured with Claude Code on two cores: ten at once take 2.3 s each, one after the other 0.3 s each. */
const STARTS_AT_ONCE = Math.max(1, Math.floor(availableParallelism() / 2));
/** How long an idle process is kept for its session's next turn while others wait for a place. */
const NEXT_TURN_MS = 100;
/** How long a session may keep its place so, or for a person who was asked something. */
const LONGEST_HOLD_MS = 30_000;

export interface WorkspaceSessionsOptions extends AgentSurroundings {
  readonly journal: Journal;
  readonly asks: WorkspaceAsks;
  readonly files: FileStore;
  /** Claude's API takes nothing from the account before `untilMs` (epoch ms). */
  onAccountHeld(untilMs: number): void;
  /** Processes came, went, or became idle. */
  onChange(): void;
}

/** The sessions of a workspace that have a process or a turn, within the bound of its processes. */
export class WorkspaceSessions {
  readonly #surroundings: SessionSurroundings;
  readonly #slots: Slots;
  readonly #sessions = new Map<string, Session>();

  constructor(options: WorkspaceSessionsOptions) {
    const { configuration, log, bridge, received, liveClaudes, journal, asks, files } = options;
    this.#slots = new Slots(configuration.limits.processesPerWorkspace, () => this.#onShortage());
    this.#surroundings = {
      configuration,
      log,
      bridge,
      received,
      liveClaudes,
      journal,
      asks,
      files,
      slots: this.#slots,
      starts: new Slots(STARTS_AT_ONCE, () => {}),
      onUnsolicited: () => options.onUnsolicited(),
      onAccountHeld: (untilMs) => options.onAccountHeld(untilMs),
      onChange: (session) => {
        if (session.isUnused) this.#sessions.delete(session.id);
        if (this.#slots.isShort && session.evictableSince !== undefined) this.#makeRoom(session);
        options.onChange();
      },
    };
  }

  /** By their ids. */
  get live(): ReadonlyMap<string, Session> {
    return this.#sessions;
  }

  /** The live session, or one that could be; undefined where its agent is not configured any more. */
  find({ id, agent, key }: SessionRef): Session | undefined {
    const settings = this.#surroundings.configuration.agents[agent];
    if (settings === undefined) return undefined;
    return this.#sessions.get(id) ?? new Session({ id, agent, key }, settings, this.#surroundings);
  }

  /** Runs a turn in its session. */
  run(session: Session, turn: Turn): void {
    this.#sessions.set(session.id, session);
    void session.run(turn);
  }

  /** Ends a session for good: see `Session.end`. */
  async end(session: Session, reason: CloseReason): Promise<boolean> {
    this.#sessions.set(session.id, session);
    return session.end(reason);
  }

  get processes(): readonly AgentProcess[] {
    return [...this.#sessions.values()].flatMap(({ process }) => process ?? []);
  }

  /** Since when the process that {@link evictOldest} would end has been idle, or has waited for a person. */
  get spareSince(): Pick<WorkerStatus, "oldestIdleAt" | "oldestAskingAt"> {
    const { idleSince, evictableSince } = this.#spare ?? {};
    if (idleSince !== undefined) return { oldestIdleAt: idleSince };
    return evictableSince === undefined ? {} : { oldestAskingAt: evictableSince };
  }

  /**
   * Ends the process that has been idle longest; where none is idle, the one that has waited longest for a person, if
   * that one has had a while to answer.
   */
  evictOldest(): void {
    void this.#spare?.evict({ code: "evicted", message: "its memory or place was needed" });
  }

  async close(reason: CloseReason): Promise<void> {
    await Promise.all([...this.#sessions.values()].map((session) => session.close(reason)));
  }

  /** Somebody waits for a process: the next to go goes now, or when its time is over. */
  #onShortage(): void {
    if (this.#spare !== undefined) return this.evictOldest();
    for (const session of this.#evictable()) this.#makeRoom(session);
  }

  /** Others wait for a process, and this session's has nothing to do: it is kept for its next turn, but not for ever. */
  #makeRoom(session: Session): void {
    const since = session.evictableSince;
    const evict = () => {
      if (!this.#slots.isShort || session.evictableSince !== since) return;
      void session.evict({ code: "evicted", message: "its place was needed" });
    };
    const keptMs = this.#keptMs(session);
    if (keptMs === 0) evict();
    else setTimeout(evict, keptMs).unref();
  }

  /**
   * How long an idle process is kept yet while others wait: its next turn may be on its way, and to end and start a
   * process for each turn would cost more than to wait for it. A person who was asked has a while to answer.
   */
  #keptMs({ idleSince, processAgeMs, evictableSince = 0 }: Session): number {
    if (idleSince !== undefined) return processAgeMs > LONGEST_HOLD_MS ? 0 : NEXT_TURN_MS;
    const { queueMs } = this.#surroundings.configuration.limits;
    const answerMs = Math.min(LONGEST_HOLD_MS, queueMs / 2); // who waits is served before it gives up
    return Math.max(0, evictableSince + answerMs - Date.now());
  }

  /** The next to go, if that may be now. */
  get #spare(): Session | undefined {
    const [next] = this.#evictable();
    return next?.idleSince !== undefined || (next && this.#keptMs(next) === 0) ? next : undefined;
  }

  /** In the order in which they are to go. */
  #evictable(): readonly Session[] {
    const all = [...this.#sessions.values()].filter(({ evictableSince }) => evictableSince !== undefined);
    const byTime = all.sort((a, b) => (a.evictableSince ?? 0) - (b.evictableSince ?? 0));
    const isIdle = ({ idleSince }: Session) => idleSince !== undefined;
    return [...byTime.filter(isIdle), ...byTime.filter((session) => !isIdle(session))];
  }
}
