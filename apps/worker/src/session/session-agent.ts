import type { AgentSettings } from "@synthesis/config";
import type { CloseReason } from "@synthesis/kit";
import { WireFailure } from "@synthesis/protocol";
import type { WorkspaceAsks } from "../asks/workspace-asks.ts";
import type { AgentProcess, AgentTurn } from "../drivers/agent-process.ts";
import { traceTurn } from "../drivers/headless/turn-trace.ts";
import { openAgent, type AgentSurroundings } from "../drivers/open-agent.ts";
import type { FileStore } from "../files/file-store.ts";
import { instructionsHash } from "../journal/instructions-hash.ts";
import type { Journal } from "../journal/journal.ts";
import type { AgentPlace, SessionRecord } from "../journal/session-table.ts";
import type { Turn } from "../turn/turn.ts";
import { allowedRules, keepRules } from "./allowed-rules.ts";
import { lostConversation } from "./lost-conversation.ts";
import type { Slots } from "./slots.ts";
import { WarmProcess } from "./warm-process.ts";

/** What the agent of a session needs from its workspace. */
export interface SessionAgentSurroundings extends AgentSurroundings {
  readonly journal: Journal;
  readonly slots: Slots;
  readonly starts: Slots;
  readonly asks: WorkspaceAsks;
  readonly files: FileStore;
  /** Claude's API takes nothing from the account before `untilMs` (epoch ms). */
  onAccountHeld(untilMs: number): void;
}

export interface SessionRef {
  readonly id: string;
  readonly agent: string;
  /** What its agent sees as its name. */
  readonly key: string;
}

/** The agent's side of one session: its process, and whether it remembers the conversation. */
export class SessionAgent {
  readonly warm: WarmProcess;
  readonly #identity: SessionRef;
  readonly #settings: AgentSettings;
  readonly #around: SessionAgentSurroundings;
  /** Aborts with what its turns are cut for when it closes. */
  readonly #closing = new AbortController();

  /** `onChange`: its process came, went, or became idle. */
  constructor(
    identity: SessionRef,
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

  /** Whether its conversation can branch off at what was said in it. */
  get canBranch(): boolean {
    return this.#settings.driver === "headless";
  }

  /** Whether there is a conversation for it to remember. */
  get hasBegun(): boolean {
    const { record } = this;
    return record !== undefined && (record.agentStarted || record.origin !== undefined);
  }

  /** Why it does not remember the conversation any more, though it was told it; undefined: it does, or never was. */
  async lostMemory(): Promise<string | undefined> {
    const { record } = this;
    const agentSession = record?.agentStarted === true ? record.agentSession : record?.origin?.agentSession;
    if (agentSession === undefined || this.warm.isWarm) return undefined;
    return lostConversation(this.#settings, agentSession, this.#around);
  }

  /** Why it cannot go back to a place; undefined: it can. */
  async lostPlace({ agentSession }: AgentPlace): Promise<string | undefined> {
    return lostConversation(this.#settings, agentSession, this.#around);
  }

  /** Whether a turn that its process cut may be finished by the next one. */
  mayResume(turn: Turn): boolean {
    const settings = this.#settings;
    if (settings.driver !== "headless" || settings.onInterrupt !== "resume") return false;
    return turn.resumes === 0 && turn.canBeFinished;
  }

  /** What a process is told of a turn: of its instructions only where the conversation was not told exactly these. */
  agentTurn(turn: Turn, resumes: boolean): AgentTurn {
    const { turn: id, prompt, model, effort, instructions, tools = [], answerSchema } = turn.order;
    const isKnown = instructions !== undefined && this.record?.instructions === instructionsHash(turn.order);
    return {
      id,
      prompt,
      model,
      effort,
      instructions: isKnown ? undefined : instructions,
      tools,
      answerSchema,
      resumes,
      shown: resumes ? turn.shown : "",
    };
  }

  /** The warm process where it can run the turn, or a place for one, which {@link open} then takes, before it is `late`. */
  async take(turn: Turn, late: AbortSignal, goesOn: boolean): Promise<AgentProcess | undefined> {
    const fits = (process: AgentProcess) => goesOn && process.fits(this.agentTurn(turn, false));
    return this.warm.take(AbortSignal.any([turn.cancel, late, this.#closing.signal]), fits);
  }

  /**
   * Starts a process for a turn in the place that was taken. `resumes`: it is to finish the turn; what its transcript
   * has of it is read before the new process writes there.
   */
  async open(turn: Turn, resumes: boolean): Promise<AgentProcess> {
    const { journal, configuration } = this.#around;
    const { agentSession: id, agentStarted, origin, caller, agent } = journal.sessions.get(this.#identity.id);
    const { isStateless, model } = turn.order;
    const cutTurn =
      resumes && this.#settings.driver === "headless"
        ? await traceTurn(configuration, id, turn.id)
        : undefined;
    this.#closing.signal.throwIfAborted();
    if (resumes && turn.isActive && cutTurn?.state === "absent") throw unknownToClaude();
    const branch =
      origin === undefined || agentStarted ? undefined : { from: origin.agentSession, at: origin.anchor };
    const startModel = resumes ? model : undefined;
    const resume = agentStarted && isStateless !== true;
    const resumeAt = resume && !resumes ? this.#endBefore(turn, id) : undefined;
    const allowed = allowedRules(this.#identity.id, this.#around);
    const { instructions, answerSchema } = this.agentTurn(turn, resumes);
    return this.warm.open(
      openAgent(this.#around, {
        ...this.#identity,
        caller,
        name: agent,
        agent: this.#settings,
        claude: { id, resume, resumeAt, cutTurn, startModel, branch, isStateless, allowed },
        launch: { instructions, answerSchema },
        keepRules: (rules) => keepRules(this.#identity.id, rules, this.#around),
      }),
    );
  }

  /** It was never told anything after all: the session is begun again, not resumed. */
  forgetBeginning(): void {
    this.#around.journal.sessions.unmarkAgentStarted(this.#identity.id);
  }

  /** The conversation is lost: the session goes on as a new one of the agent's, which is told this turn only. */
  beginAnew(why: string, turn: Turn): void {
    const { log, journal } = this.#around;
    log.warn("session.reset", { session: this.#identity.id, why });
    journal.renew(this.#identity.id, turn.id);
  }

  /** Where its conversation ends for a turn with functions of the client's: resumed there, Claude takes them afresh. */
  #endBefore(turn: Turn, agentSession: string): string | undefined {
    if (turn.order.tools === undefined) return undefined;
    const place = this.#around.journal.points.answerBefore(this.#identity.id, turn.id);
    return place?.agentSession === agentSession ? place.anchor : undefined;
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
