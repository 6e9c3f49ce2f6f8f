import type { AgentSettings } from "@synthesis/config";
import { abortable, type CloseReason } from "@synthesis/kit";
import {
  WireFailure,
  type SessionInfo,
  type Submit,
  type TurnEnd,
  type WireError,
} from "@synthesis/protocol";
import type { AgentProcess } from "../drivers/agent-process.ts";
import { traceTurn } from "../drivers/headless/turn-trace.ts";
import { openAgent, type AgentSurroundings } from "../drivers/open-agent.ts";
import type { Journal } from "../journal/journal.ts";
import type { SessionRecord } from "../journal/session-table.ts";
import { TurnRun } from "../turn/turn-run.ts";
import type { Turn } from "../turn/turn.ts";
import type { Slots } from "./slots.ts";
import { lostConversation } from "./lost-conversation.ts";
import { WarmProcess } from "./warm-process.ts";

/** What a session needs from its workspace. */
export interface SessionSurroundings extends AgentSurroundings {
  readonly journal: Journal;
  readonly slots: Slots;
  readonly starts: Slots;
  /** Claude's API takes nothing from the account before `untilMs` (epoch ms). */
  onAccountHeld(untilMs: number): void;
  /** Its process came, went, or became idle; or its last turn is over. */
  onChange(session: Session): void;
}

/** Turns of one session that a worker holds at most: a gateway hands over one at a time, its successor may follow soon. */
const MAX_PENDING = 8;
/** How often a prompt that no process took up is tried on another one. */
const MAX_BEGINNINGS = 3;
const NOT_TAKEN_UP: WireError = {
  code: "agent_unavailable",
  message: `no process of the agent took the prompt up, in ${MAX_BEGINNINGS} attempts: see the log for its messages`,
};

/** One conversation with one agent in this workspace: one turn at a time, on the process that keeps it warm. */
export class Session {
  readonly id: string;
  readonly #key: string;
  readonly #agent: AgentSettings;
  readonly #around: SessionSurroundings;
  readonly #warm: WarmProcess;
  /** Settles with the last of what was handed in. */
  #tail: Promise<void> = Promise.resolve();
  #pending = 0;
  /** Aborts with what its turns are cut for when it closes. */
  readonly #closing = new AbortController();

  constructor(
    identity: { readonly id: string; readonly key: string },
    agent: AgentSettings,
    around: SessionSurroundings,
  ) {
    this.id = identity.id;
    this.#key = identity.key;
    this.#agent = agent;
    this.#around = around;
    const { idleMs } = around.configuration.limits;
    const { slots, starts } = around;
    this.#warm = new WarmProcess({ slots, starts, idleMs, onChange: () => around.onChange(this) });
  }

  /** Whether something runs in it, or a process waits, for whoever lists sessions. */
  get state(): SessionInfo["state"] {
    if (this.#pending > 0) return "running";
    return this.idleSince === undefined ? "cold" : "idle";
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

  /** Why its agent does not remember the conversation any more, though it was told it; undefined: it does, or never was. */
  async lostMemory(): Promise<string | undefined> {
    const record = this.#around.journal.sessions.find(this.id);
    if (record === undefined || !record.agentStarted || this.isWarm) return undefined;
    return lostConversation(this.#agent, record, this.#around);
  }

  /** Runs a turn to its end, after those that came before it. Until it is accepted a cancel refuses it. Never rejects. */
  async run(turn: Turn): Promise<void> {
    await this.#inLine(async (before) => {
      try {
        this.#checkRoom();
        await abortable(before, turn.cancel);
        await this.#admit(turn);
      } catch (error) {
        if (turn.state === "waiting") turn.refuse(error);
        else this.#end(turn, turn.failed(error)); // accepted by an earlier generation
      }
    });
  }

  /**
   * Ends its process and forgets it, once the turns that came before are over; a turn that comes after begins it
   * anew. Returns whether there was something to forget. Rejects with what the journal throws.
   */
  async end(reason: CloseReason): Promise<boolean> {
    return this.#inLine(async (before) => {
      await before;
      await this.#warm.close(reason);
      return this.#around.journal.forget(this.id);
    });
  }

  /** Ends its process if it is idle; the session is resumed with its next turn. */
  async evict(reason: CloseReason): Promise<void> {
    await this.#warm.evict(reason);
  }

  /** Ends its process, whatever it does; resolves when its turns are over too. */
  async close(reason: CloseReason): Promise<void> {
    this.#closing.abort(new WireFailure("turn_interrupted", `the turn was cut: ${reason.message}`));
    await this.#warm.close(reason);
    await this.#tail;
  }

  /** Whether a turn that its process cut may be finished by the next one. */
  mayResume(turn: Turn): boolean {
    return this.#agent.driver === "headless" && this.#agent.onInterrupt === "resume" && turn.resumes === 0;
  }

  /** Does something that concerns the whole session: who comes later waits for it, and for all that came before. */
  async #inLine<T>(work: (before: Promise<void>) => Promise<T>): Promise<T> {
    const before = this.#tail;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#tail = promise;
    this.#pending++;
    try {
      return await work(before);
    } finally {
      this.#pending--;
      void before.then(resolve); // a turn that was refused early does not let the next one overtake
      this.#around.onChange(this);
    }
  }

  /** Rejects as long as the turn is not accepted. */
  async #admit(turn: Turn): Promise<void> {
    if (turn.state === "waiting") this.#checkHead(turn.order);
    const warm = await this.#takeProcess(turn);
    let record: SessionRecord;
    try {
      record = await this.#accept(turn);
    } catch (error) {
      this.#warm.rest();
      throw error;
    }
    const end = await this.#runOn(warm, record, turn);
    this.#warm.rest();
    this.#end(turn, end);
  }

  /** Accepts it, if its agent remembers what it relies on; the session begins anew where it does not rely on anything. */
  async #accept(turn: Turn): Promise<SessionRecord> {
    const lost = await this.lostMemory();
    const { needsMemory } = turn.order;
    if (needsMemory && lost !== undefined) throw new WireFailure("session_lost", lost);
    if (needsMemory && this.#around.journal.sessions.find(this.id)?.agentStarted !== true)
      throw new WireFailure("session_lost", "the agent was told nothing of the session yet");
    turn.cancel.throwIfAborted();
    const record = turn.accept(lost);
    return lost === undefined ? record : this.#beginAnew(lost);
  }

  /** A worker that closes leaves to the next one what that one may run or finish. */
  #end(turn: Turn, end: TurnEnd): void {
    const isCut = this.#closing.signal.aborted && end.state === "interrupted";
    if (isCut && (turn.state === "accepted" || this.mayResume(turn))) turn.leave();
    else turn.end(end);
  }

  /** The warm process, or a slot for one, within the time that a turn may wait. */
  async #takeProcess(turn: Turn): Promise<AgentProcess | undefined> {
    const { queueMs } = this.#around.configuration.limits;
    const late = new AbortController();
    const timer = setTimeout(() => late.abort(noProcessFree(queueMs)), queueMs);
    try {
      return await this.#warm.take(AbortSignal.any([turn.cancel, late.signal, this.#closing.signal]));
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
    if (expectHead === undefined || this.#around.journal.sessions.find(this.id)?.head === expectHead) return;
    const message = "the conversation went on meanwhile: send the request again";
    throw new WireFailure("history_changed", message, { retryAfterMs: 1_000 });
  }

  async #runOn(warm: AgentProcess | undefined, record: SessionRecord, turn: Turn): Promise<TurnEnd> {
    try {
      const isCut = turn.state === "started";
      if (isCut) turn.resume();
      const first = warm ?? (await this.#open(record, isCut ? turn : undefined));
      return await this.#attempts(first, warm !== undefined, isCut, turn);
    } catch (error) {
      return turn.failed(error);
    }
  }

  /** One process after the other, as long as none has taken the prompt up, and one more to finish what it began. */
  async #attempts(first: AgentProcess, isWarm: boolean, isCut: boolean, turn: Turn): Promise<TurnEnd> {
    const { limits } = this.#around.configuration;
    let process = first;
    let resumes = isCut;
    for (let left = MAX_BEGINNINGS - 1; ; left--) {
      const end = await new TurnRun({
        process,
        turn,
        limits,
        isWarm: isWarm && process === first,
        resumes,
        onAccountHeld: (untilMs) => this.#around.onAccountHeld(untilMs),
      }).run();
      switch (end.state) {
        case "not_begun":
          if (turn.isFirst) this.#around.journal.sessions.unmarkAgentStarted(this.id);
          if (left <= 0 || process.pid === undefined) return { state: "failed", error: end.error };
          break;
        case "session_lost":
          if (left <= 0) return { state: "failed", error: NOT_TAKEN_UP };
          await this.#dropLost(process, turn);
          resumes = false;
          break;
        case "interrupted":
          if (this.#closing.signal.aborted || process.isAlive || !this.mayResume(turn)) return end;
          turn.resume();
          resumes = true;
          break;
        case "completed":
        case "failed":
        case "cancelled":
          return end;
      }
      await process.closed; // with all that it started: two at once would write one transcript
      await this.#takeProcess(turn);
      process = await this.#open(this.#around.journal.sessions.get(this.id), resumes ? turn : undefined);
    }
  }

  /** The agent lost its side of the conversation, and said so before it read the prompt: nothing was run. */
  async #dropLost(process: AgentProcess, turn: Turn): Promise<void> {
    const why = "Claude has no transcript of the session";
    await process.kill({ code: "session_lost", message: why });
    turn.note(`[the session begins anew: ${why}]\n`);
    this.#beginAnew(why);
  }

  #beginAnew(why: string): SessionRecord {
    this.#around.log.warn("session.reset", { session: this.id, why });
    return this.#around.journal.sessions.renewAgentSession(this.id);
  }

  /** `cut`: the turn that it is to finish. What its transcript has of it is read before the new process writes there. */
  async #open({ agentSession: id, agentStarted: resume }: SessionRecord, cut?: Turn): Promise<AgentProcess> {
    const { configuration } = this.#around;
    const cutTurn =
      cut && this.#agent.driver === "headless" ? await traceTurn(configuration, id, cut.id) : undefined;
    this.#closing.signal.throwIfAborted();
    const claude = { id, resume, cutTurn, startModel: cut?.order.model };
    return this.#warm.open(openAgent(this.#around, { key: this.#key, agent: this.#agent, claude }));
  }
}

function noProcessFree(queueMs: number): WireFailure {
  const message = `no agent process became free within ${queueMs} ms (limits.processesPerWorkspace)`;
  return new WireFailure("queue_timeout", message, { retryAfterMs: 5_000 });
}
