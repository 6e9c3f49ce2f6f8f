import type { AgentSettings } from "@synthesis/config";
import { abortable, type CloseReason } from "@synthesis/kit";
import { WireFailure, type Submit, type TurnEnd } from "@synthesis/protocol";
import type { AgentProcess, AgentTurnEnd } from "../drivers/agent-process.ts";
import { openAgent, type AgentSurroundings } from "../drivers/open-agent.ts";
import type { Journal, SessionRecord } from "../journal/journal.ts";
import { TurnRun } from "../turn/turn-run.ts";
import type { Turn } from "../turn/turn.ts";
import type { ProcessSlots } from "./process-slots.ts";
import { WarmProcess } from "./warm-process.ts";

/** What a session needs from its workspace. */
export interface SessionSurroundings extends AgentSurroundings {
  readonly journal: Journal;
  readonly slots: ProcessSlots;
  /** Its process came, went, or became idle; or its last turn is over. */
  onChange(session: Session): void;
}

/** Turns of one session that a worker holds at most: a gateway hands over one at a time, its successor may follow soon. */
const MAX_PENDING = 8;

/** One conversation with one agent in this workspace: one turn at a time, on the process that keeps it warm. */
export class Session {
  readonly id: string;
  readonly #key: string;
  readonly #agent: AgentSettings;
  readonly #around: SessionSurroundings;
  readonly #warm: WarmProcess;
  /** Settles with the last turn that was handed in. */
  #tail: Promise<void> = Promise.resolve();
  #pending = 0;

  constructor(identity: Submit["session"], agent: AgentSettings, around: SessionSurroundings) {
    this.id = identity.id;
    this.#key = identity.key;
    this.#agent = agent;
    this.#around = around;
    const { idleMs } = around.configuration.limits;
    this.#warm = new WarmProcess({ slots: around.slots, idleMs, onChange: () => around.onChange(this) });
  }

  /** The live process, if any. */
  get process(): AgentProcess | undefined {
    return this.#warm.current;
  }

  /** Whether its process is there for the next turn too. */
  get isWarm(): boolean {
    return this.#warm.isWarm;
  }

  /** Since when its process has been idle (epoch ms). */
  get idleSince(): number | undefined {
    return this.#warm.idleSince;
  }

  /** How long its process has been there, in ms. */
  get processAgeMs(): number {
    return this.#warm.ageMs;
  }

  /** Whether nothing is lost when this object is dropped: no process, no turn. */
  get isUnused(): boolean {
    return this.#warm.isCold && this.#pending === 0;
  }

  /** Runs a turn to its end, after those that came before it. Until it is accepted a cancel refuses it. Never rejects. */
  async run(turn: Turn): Promise<void> {
    const before = this.#tail;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#tail = promise;
    this.#pending++;
    try {
      this.#checkRoom();
      await abortable(before, turn.cancel);
      await this.#admit(turn);
    } catch (error) {
      turn.refuse(error);
    } finally {
      this.#pending--;
      void before.then(resolve); // a turn that was refused early does not let the next one overtake
      this.#around.onChange(this);
    }
  }

  /** Ends its process if it is idle; the session is resumed with its next turn. */
  async evict(reason: CloseReason): Promise<void> {
    await this.#warm.evict(reason);
  }

  /** Ends its process, whatever it does. Its turns have been cancelled; resolves when they have ended too. */
  async close(reason: CloseReason): Promise<void> {
    await this.#warm.close(reason);
    await this.#tail;
  }

  /** Rejects as long as the turn is not accepted. */
  async #admit(turn: Turn): Promise<void> {
    this.#checkHead(turn.order);
    const warm = await this.#takeProcess(turn);
    let record: SessionRecord;
    try {
      record = turn.accept();
    } catch (error) {
      this.#warm.rest();
      throw error;
    }
    const end = await this.#runOn(warm, record, turn);
    this.#warm.rest();
    turn.end(end);
  }

  /** The warm process, or a slot for one, within the time that a turn may wait. */
  async #takeProcess(turn: Turn): Promise<AgentProcess | undefined> {
    const { queueMs } = this.#around.configuration.limits;
    const late = new AbortController();
    const timer = setTimeout(() => late.abort(noProcessFree(queueMs)), queueMs);
    try {
      return await this.#warm.take(AbortSignal.any([turn.cancel, late.signal]));
    } finally {
      clearTimeout(timer);
    }
  }

  #checkRoom(): void {
    if (this.#pending <= MAX_PENDING) return;
    const message = `${MAX_PENDING} turns of this session are at its worker already`;
    throw new WireFailure("queue_full", message, { retryAfterMs: 1_000 });
  }

  #checkHead({ expectHead }: Submit): void {
    if (expectHead === undefined || this.#around.journal.session(this.id)?.head === expectHead) return;
    const message = "the conversation went on meanwhile: send the request again";
    throw new WireFailure("history_changed", message, { retryAfterMs: 1_000 });
  }

  async #runOn(warm: AgentProcess | undefined, record: SessionRecord, turn: Turn): Promise<TurnEnd> {
    try {
      const process = warm ?? this.#open(record);
      const end = await this.#attempt(process, turn, warm !== undefined);
      return end.state === "session_lost" ? await this.#beginAnew(process, turn) : end;
    } catch (error) {
      return turn.failed(error);
    }
  }

  /** The agent lost its side of the conversation, and said so before it read the prompt: nothing was run. */
  async #beginAnew(process: AgentProcess, turn: Turn): Promise<TurnEnd> {
    const { journal, log } = this.#around;
    const why = "Claude has no transcript of the session";
    log.warn("session.reset", { session: this.id, why });
    await process.kill({ code: "session_lost", message: why });
    await this.#takeProcess(turn);
    const end = await this.#attempt(this.#open(journal.renewAgentSession(this.id)), turn, false);
    if (end.state !== "session_lost") return end;
    const message = "Claude Code refuses to begin a session: see the log for its message";
    return { state: "failed", error: { code: "agent_unavailable", message } };
  }

  async #attempt(process: AgentProcess, turn: Turn, isWarm: boolean): Promise<AgentTurnEnd> {
    const { limits } = this.#around.configuration;
    return new TurnRun({ process, turn, limits, isWarm }).run();
  }

  #open({ agentSession, agentStarted }: SessionRecord): AgentProcess {
    const claude = { id: agentSession, resume: agentStarted };
    return this.#warm.open(openAgent(this.#around, { key: this.#key, agent: this.#agent, claude }));
  }
}

function noProcessFree(queueMs: number): WireFailure {
  const message = `no agent process became free within ${queueMs} ms (limits.processesPerWorkspace)`;
  return new WireFailure("queue_timeout", message, { retryAfterMs: 5_000 });
}
