import type { AgentSettings } from "@synthesis/config";
import type { CloseReason } from "@synthesis/kit";
import { rollTranscript, WireFailure, type Submit, type TurnEnd } from "@synthesis/protocol";
import type { AgentProcess, AgentTurnEnd } from "../drivers/agent-process.ts";
import { openAgent, type AgentSurroundings } from "../drivers/open-agent.ts";
import type { Journal, SessionRecord } from "../journal/journal.ts";
import { TurnRun } from "../turn/turn-run.ts";
import type { TurnSink } from "../turn/turn-sink.ts";
import type { ProcessSlots } from "./process-slots.ts";

/** What a session needs from its workspace. */
export interface SessionSurroundings extends AgentSurroundings {
  readonly journal: Journal;
  readonly slots: ProcessSlots;
  /** The session's process came, went, or became idle. */
  onChange(session: Session): void;
}

/**
 * cold: no process. opening: it waits for a slot or starts. running: a turn is on it. idle: warm, `since` when.
 * closing: it is being ended. One field says it all; the next turn waits for what is under way.
 */
type SessionState =
  | { readonly name: "cold" }
  | { readonly name: "opening" }
  | { readonly name: "running"; readonly process: AgentProcess }
  | {
      readonly name: "idle";
      readonly process: AgentProcess;
      readonly since: number;
      readonly eviction: NodeJS.Timeout;
    }
  | { readonly name: "closing"; readonly process: AgentProcess };

/** One conversation with one agent in this workspace, and the process that keeps it warm. */
export class Session {
  readonly id: string;
  readonly #key: string;
  readonly #agent: AgentSettings;
  readonly #around: SessionSurroundings;
  #state: SessionState = { name: "cold" };
  /** Settles with the last turn that was handed in; at most a few wait, one per gateway. */
  #tail: Promise<void> = Promise.resolve();
  #pending = 0;

  constructor(identity: Submit["session"], agent: AgentSettings, around: SessionSurroundings) {
    this.id = identity.id;
    this.#key = identity.key;
    this.#agent = agent;
    this.#around = around;
  }

  /** The live process, if any. */
  get process(): AgentProcess | undefined {
    return "process" in this.#state ? this.#state.process : undefined;
  }

  /** Since when its process has been idle (epoch ms). */
  get idleSince(): number | undefined {
    return this.#state.name === "idle" ? this.#state.since : undefined;
  }

  /** Whether nothing is lost when this object is dropped: no process, no turn. */
  get isUnused(): boolean {
    return this.#state.name === "cold" && this.#pending === 0;
  }

  /**
   * Runs a turn, after those that came before it, and reports everything to `sink`. Until it is accepted,
   * an abort of `cancel` refuses it and nothing was run. Never rejects.
   */
  async run(order: Submit, sink: TurnSink, cancel: AbortSignal): Promise<void> {
    const before = this.#tail;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#tail = promise;
    this.#pending++;
    try {
      await before;
      cancel.throwIfAborted();
      await this.#accept(order, sink, cancel);
    } catch (error) {
      this.#around.log.warn("turn.refused", { turn: order.turn, error: String(error) });
      sink.refused(refusalOf(error).error);
    } finally {
      this.#pending--;
      resolve();
      this.#around.onChange(this);
    }
  }

  /** Ends an idle process; the session is resumed with its next turn. */
  async evict(reason: CloseReason): Promise<void> {
    if (this.#state.name !== "idle") return;
    const { process, eviction } = this.#state;
    clearTimeout(eviction);
    this.#move({ name: "closing", process });
    await process.close(reason);
  }

  /** Ends its process, whatever it does. */
  async close(reason: CloseReason): Promise<void> {
    if (this.#state.name === "idle") return this.evict(reason);
    await this.process?.kill(reason);
  }

  /** Rejects as long as the turn is not accepted. */
  async #accept(order: Submit, sink: TurnSink, cancel: AbortSignal): Promise<void> {
    const { journal, log } = this.#around;
    if (order.expectHead !== undefined && journal.session(this.id)?.head !== order.expectHead) {
      throw new WireFailure("history_changed", "the conversation went on meanwhile: send the request again", {
        retryAfterMs: 1_000,
      });
    }
    const warm = await this.#takeProcessOrSlot(cancel);
    let record: SessionRecord;
    try {
      record = journal.accept(order);
    } catch (error) {
      this.#returnProcessOrSlot(warm);
      throw error;
    }
    sink.accepted();
    let text = "";
    const onText = (part: string) => {
      text += part;
      sink.text(part);
    };
    const end = await this.#runOn(
      warm ?? this.#open(record),
      order,
      warm !== undefined,
      sink,
      onText,
      cancel,
    );
    try {
      journal.end(order.turn, this.id, end, headAfter(order, end, text));
    } catch (error) {
      log.error("journal.write_failed", { turn: order.turn, error: String(error) });
    }
    log.info("turn.ended", {
      turn: order.turn,
      session: this.id,
      state: end.state,
      code: end.state === "completed" ? undefined : end.error.code,
    });
    this.#rest();
    sink.ended(end);
  }

  async #runOn(
    process: AgentProcess,
    order: Submit,
    warm: boolean,
    sink: TurnSink,
    onText: (text: string) => void,
    cancel: AbortSignal,
  ): Promise<TurnEnd> {
    const { journal, configuration, log } = this.#around;
    let journaled = false;
    const attempt = (on: AgentProcess, isWarm: boolean): Promise<AgentTurnEnd> =>
      new TurnRun({
        process: on,
        turn: { id: order.turn, prompt: order.prompt, model: order.model },
        limits: configuration.limits,
        warm: isWarm,
        cancel,
        onStart: () => {
          if (!journaled) journal.start(order.turn, this.id);
          journaled = true;
        },
        onText,
        onReasoning: (part) => sink.reasoning(part),
      }).run();
    try {
      return await this.#attemptTwice(attempt, process, warm, cancel);
    } catch (error) {
      log.error("turn.not_run", { turn: order.turn, error: String(error) });
      return { state: "failed", error: refusalOf(error).error };
    }
  }

  async #attemptTwice(
    attempt: (on: AgentProcess, isWarm: boolean) => Promise<AgentTurnEnd>,
    process: AgentProcess,
    warm: boolean,
    cancel: AbortSignal,
  ): Promise<TurnEnd> {
    const { journal, log, slots } = this.#around;
    const end = await attempt(process, warm);
    if (end.state !== "session_lost") return end;
    // Nothing was run: Claude refused the session id before it read the prompt.
    log.warn("session.reset", { session: this.id, why: "Claude has no transcript of it" });
    await process.kill({ code: "session_lost", message: "Claude has no transcript of the session" });
    await slots.acquire(cancel);
    const second = await attempt(this.#open(journal.renewAgentSession(this.id)), false);
    if (second.state !== "session_lost") return second;
    const message = "Claude Code refuses to begin a session: see the log for its message";
    return { state: "failed", error: { code: "agent_unavailable", message } };
  }

  /** The warm process; or a slot for a new one, and then undefined. */
  async #takeProcessOrSlot(cancel: AbortSignal): Promise<AgentProcess | undefined> {
    if (this.#state.name === "closing") await this.#state.process.closed;
    if (this.#state.name === "idle") {
      const { process, eviction } = this.#state;
      clearTimeout(eviction);
      this.#move({ name: "running", process });
      return process;
    }
    this.#move({ name: "opening" });
    try {
      await this.#around.slots.acquire(cancel);
    } catch (error) {
      this.#move({ name: "cold" });
      throw error;
    }
    return undefined;
  }

  #returnProcessOrSlot(process: AgentProcess | undefined): void {
    if (process) return this.#rest();
    this.#around.slots.release();
    this.#move({ name: "cold" });
  }

  #open(record: SessionRecord): AgentProcess {
    const claude = { id: record.agentSession, resume: record.agentStarted };
    const process = openAgent(this.#around, { key: this.#key, agent: this.#agent, claude });
    this.#move({ name: "running", process });
    void process.closed.then(() => {
      this.#around.slots.release();
      if (this.process !== process) return;
      if (this.#state.name === "idle") clearTimeout(this.#state.eviction);
      this.#move({ name: "cold" });
    });
    return process;
  }

  #rest(): void {
    if (this.#state.name !== "running") return; // its process died within the turn
    const { process } = this.#state;
    const { idleMs } = this.#around.configuration.limits;
    const reason = { code: "idle", message: `idle for ${idleMs} ms` };
    const eviction = setTimeout(() => void this.evict(reason), idleMs);
    this.#move({ name: "idle", process, since: Date.now(), eviction });
  }

  #move(state: SessionState): void {
    this.#state = state;
    this.#around.onChange(this);
  }
}

/** The transcript as the client has it now; unknown only where the agent said nothing. */
function headAfter(order: Submit, end: TurnEnd, text: string): string | undefined {
  if (end.state !== "completed" && text === "") return undefined;
  return rollTranscript(order.transcript, "assistant", text);
}

/** Why a turn that was cancelled before it was accepted is refused. */
function refusalOf(error: unknown): WireFailure {
  if (error instanceof WireFailure) return error;
  return new WireFailure(
    "worker_unavailable",
    "the workspace's journal cannot be written: free disk space, then try again",
    {
      retryAfterMs: 5000,
      cause: error,
    },
  );
}
