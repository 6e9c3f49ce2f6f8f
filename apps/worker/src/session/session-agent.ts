import type { AgentSettings } from "@synthesis/config";
import type { CloseReason } from "@synthesis/kit";
import { WireFailure } from "@synthesis/protocol";
import type { AgentProcess } from "../drivers/agent-process.ts";
import { traceTurn } from "../drivers/headless/turn-trace.ts";
import { openAgent, type AgentSurroundings } from "../drivers/open-agent.ts";
import type { Journal } from "../journal/journal.ts";
import type { SessionRecord } from "../journal/session-table.ts";
import type { Turn } from "../turn/turn.ts";
import { lostConversation } from "./lost-conversation.ts";
import type { Slots } from "./slots.ts";
import { WarmProcess } from "./warm-process.ts";

/** What the agent of a session needs from its workspace. */
export interface SessionAgentSurroundings extends AgentSurroundings {
  readonly journal: Journal;
  readonly slots: Slots;
  readonly starts: Slots;
  /** Claude's API takes nothing from the account before `untilMs` (epoch ms). */
  onAccountHeld(untilMs: number): void;
}

export interface SessionIdentity {
  readonly id: string;
  /** What its agent sees as its name. */
  readonly key: string;
}

/** The agent's side of one session: its process, and whether it remembers the conversation. */
export class SessionAgent {
  readonly warm: WarmProcess;
  readonly #identity: SessionIdentity;
  readonly #settings: AgentSettings;
  readonly #around: SessionAgentSurroundings;
  /** Aborts with what its turns are cut for when it closes. */
  readonly #closing = new AbortController();

  /** `onChange`: its process came, went, or became idle. */
  constructor(
    identity: SessionIdentity,
    settings: AgentSettings,
    around: SessionAgentSurroundings,
    onChange: () => void,
  ) {
    this.#identity = identity;
    this.#settings = settings;
    this.#around = around;
    const { slots, starts, configuration } = around;
    this.warm = new WarmProcess({ slots, starts, idleMs: configuration.limits.idleMs, onChange });
  }

  get isClosing(): boolean {
    return this.#closing.signal.aborted;
  }

  get record(): SessionRecord | undefined {
    return this.#around.journal.sessions.find(this.#identity.id);
  }

  /** Why it does not remember the conversation any more, though it was told it; undefined: it does, or never was. */
  async lostMemory(): Promise<string | undefined> {
    const { record } = this;
    if (record === undefined || !record.agentStarted || this.warm.isWarm) return undefined;
    return lostConversation(this.#settings, record, this.#around);
  }

  /** Whether a turn that its process cut may be finished by the next one. */
  mayResume(turn: Turn): boolean {
    const settings = this.#settings;
    if (settings.driver !== "headless" || settings.onInterrupt !== "resume") return false;
    return turn.resumes === 0 && turn.isWhole;
  }

  /** The warm process, or a place for one, which {@link open} then takes, before it is `late`. */
  async take(turn: Turn, late: AbortSignal): Promise<AgentProcess | undefined> {
    return this.warm.take(AbortSignal.any([turn.cancel, late, this.#closing.signal]));
  }

  /**
   * Starts a process in the place that was taken. `cut`: the turn that it is to finish; what its transcript has of
   * it is read before the new process writes there.
   */
  async open(cut?: Turn): Promise<AgentProcess> {
    const { journal, configuration } = this.#around;
    const { agentSession: id, agentStarted: resume } = journal.sessions.get(this.#identity.id);
    const cutTurn =
      cut && this.#settings.driver === "headless" ? await traceTurn(configuration, id, cut.id) : undefined;
    this.#closing.signal.throwIfAborted();
    if (cut?.isActive && cutTurn?.state === "absent") throw unknownToClaude();
    const claude = { id, resume, cutTurn, startModel: cut?.order.model };
    return this.warm.open(
      openAgent(this.#around, { key: this.#identity.key, agent: this.#settings, claude }),
    );
  }

  /** It was never told anything after all: the session is begun again, not resumed. */
  forgetBeginning(): void {
    this.#around.journal.sessions.unmarkAgentStarted(this.#identity.id);
  }

  /** The conversation is lost: the session goes on as a new one of the agent's. */
  beginAnew(why: string): void {
    const { log, journal } = this.#around;
    log.warn("session.reset", { session: this.#identity.id, why });
    journal.sessions.renewAgentSession(this.#identity.id);
  }

  /** Ends its process, whatever it does; from then on none is started. */
  async close(reason: CloseReason): Promise<void> {
    this.#closing.abort(new WireFailure("turn_interrupted", `the turn was cut: ${reason.message}`));
    await this.warm.close(reason);
  }

  /** Throws when it closes. */
  throwIfClosing(): void {
    this.#closing.signal.throwIfAborted();
  }
}

/** It had begun, so it is not begun again. */
function unknownToClaude(): WireFailure {
  const message = "Claude's transcript does not have the turn that was cut: what it did may have had effects";
  return new WireFailure("turn_interrupted", message);
}
