import { availableParallelism } from "node:os";
import type { CloseReason } from "@synthesis/kit";
import type { WorkspaceAsks } from "../asks/workspace-asks.ts";
import type { AgentProcess } from "../drivers/agent-process.ts";
import type { AgentSurroundings } from "../drivers/open-agent.ts";
import type { Journal } from "../journal/journal.ts";
import type { Turn } from "../turn/turn.ts";
import type { SessionIdentity } from "./session-agent.ts";
import { Session, type SessionSurroundings } from "./session.ts";
import { Slots } from "./slots.ts";

/** Measured with Claude Code on two cores: ten at once take 2.3 s each, one after the other 0.3 s each. */
const STARTS_AT_ONCE = Math.max(1, Math.floor(availableParallelism() / 2));
/** How long an idle process is kept for its session's next turn while others wait for a place. */
const NEXT_TURN_MS = 100;
/** How long a session may keep its place so. */
const LONGEST_HOLD_MS = 30_000;

export interface WorkspaceSessionsOptions extends AgentSurroundings {
  readonly journal: Journal;
  readonly asks: WorkspaceAsks;
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
    const { configuration, log, bridge, liveClaudes, journal, asks } = options;
    this.#slots = new Slots(configuration.limits.processesPerWorkspace, () => this.evictOldest());
    this.#surroundings = {
      configuration,
      log,
      bridge,
      liveClaudes,
      journal,
      asks,
      slots: this.#slots,
      starts: new Slots(STARTS_AT_ONCE, () => {}),
      onUnsolicited: () => options.onUnsolicited(),
      onAccountHeld: (untilMs) => options.onAccountHeld(untilMs),
      onChange: (session) => {
        if (session.isUnused) this.#sessions.delete(session.id);
        if (this.#slots.isShort && session.idleSince !== undefined) this.#makeRoom(session);
        options.onChange();
      },
    };
  }

  /** By their ids. */
  get live(): ReadonlyMap<string, Session> {
    return this.#sessions;
  }

  /** The live session, or one that could be; undefined where its agent is not configured any more. */
  find({ id, agent, key }: SessionIdentity): Session | undefined {
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

  /** When the process that has been idle longest last worked (epoch ms). */
  get oldestIdleAt(): number | undefined {
    return this.#idle()[0]?.idleSince;
  }

  /** Ends the process that has been idle longest, if one is idle. */
  evictOldest(): void {
    void this.#idle()[0]?.evict({ code: "evicted", message: "its memory or place was needed" });
  }

  async close(reason: CloseReason): Promise<void> {
    await Promise.all([...this.#sessions.values()].map((session) => session.close(reason)));
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

  #idle(): readonly Session[] {
    const idle = [...this.#sessions.values()].filter(({ idleSince }) => idleSince !== undefined);
    return idle.sort((a, b) => (a.idleSince ?? 0) - (b.idleSince ?? 0));
  }
}
