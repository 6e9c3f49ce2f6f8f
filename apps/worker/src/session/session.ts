import type { AgentSettings } from "@synthesis/config";
import { abortable, type CloseReason } from "@synthesis/kit";
import { WireFailure, type SessionInfo } from "@synthesis/protocol";
import type { AgentProcess } from "../drivers/agent-process.ts";
import type { Turn } from "../turn/turn.ts";
import { acceptTurn, originOfTurn } from "./accept-turn.ts";
import { SessionAgent, type SessionAgentSurroundings, type SessionRef } from "./session-agent.ts";
import { SessionRuns } from "./session-runs.ts";
import { WaitDeadline } from "./wait-deadline.ts";

/** What a session needs from its workspace. */
export interface SessionSurroundings extends SessionAgentSurroundings {
  /** Its process came, went, or became idle; or its last turn is over. */
  onChange(session: Session): void;
}

/** Turns of one session that a worker holds at most: a gateway hands over one at a time, its successor may follow soon. */
const MAX_PENDING = 8;

const ANSWERED = { code: "stateless", message: "its one question is answered" };

/** One conversation with one agent in this workspace: one turn at a time, on the process that keeps it warm. */
export class Session {
  readonly id: string;
  readonly agent: string;
  readonly #around: SessionSurroundings;
  readonly #agent: SessionAgent;
  readonly #runs: SessionRuns;
  /** Settles with the last of what was handed in. */
  #tail: Promise<void> = Promise.resolve();
  #pending = 0;

  constructor(identity: SessionRef, settings: AgentSettings, around: SessionSurroundings) {
    this.id = identity.id;
    this.agent = identity.agent;
    this.#around = around;
    const onChange = () => this.#changed();
    const agent = new SessionAgent(identity, settings, around, onChange);
    this.#agent = agent;
    this.#runs = new SessionRuns({ session: identity.id, agent, settings, around, onChange });
  }

  /** Whether something runs in it, or a process waits, for whoever lists sessions. */
  get state(): SessionInfo["state"] {
    if (this.#around.asks.isAsking(this.id)) return "asking";
    if (this.#pending > 0 || this.#runs.isRunning) return "running";
    return this.idleSince === undefined ? "cold" : "idle";
  }

  /** The live process, if any. */
  get process(): AgentProcess | undefined {
    return this.#agent.warm.current;
  }

  /** Whether its process is there for the next turn too. */
  get isWarm(): boolean {
    return this.#agent.warm.isWarm;
  }

  /** Since when its process has been idle (epoch ms). */
  get idleSince(): number | undefined {
    return this.#agent.warm.idleSince;
  }

  /** Since when its process could be ended for another session's (epoch ms): it is idle, or waits for a person. */
  get evictableSince(): number | undefined {
    return this.idleSince ?? (this.#pending === 0 ? this.#runs.waitsSince : undefined);
  }

  /** How long its process has been there, in ms. */
  get processAgeMs(): number {
    return this.#agent.warm.ageMs;
  }

  /** Whether nothing is lost when this object is dropped: no process, no turn. */
  get isUnused(): boolean {
    return this.#agent.warm.isCold && this.#pending === 0 && this.#runs.isEmpty;
  }

  /** Why its agent does not remember the conversation any more, though it was told it; undefined: it does, or never was. */
  async lostMemory(): Promise<string | undefined> {
    return this.#agent.lostMemory();
  }

  /** Runs a turn to its end, after those that came before it. Until it is accepted a cancel refuses it. Never rejects. */
  async run(turn: Turn): Promise<void> {
    await this.#inLine(async (before) => {
      try {
        this.#checkRoom();
        using late = new WaitDeadline(this.#around.configuration.limits.queueMs);
        await abortable(before, AbortSignal.any([turn.cancel, late.signal]));
        await this.#admit(turn, late.signal);
      } catch (error) {
        if (turn.state === "waiting") turn.refuse(error);
        else this.#runs.end(turn, { end: turn.failed(error) }); // accepted by an earlier generation
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
      await this.#agent.warm.close(reason);
      return this.#around.journal.forget(this.id);
    });
  }

  /** Stops what its agent goes on with, if that turn ended with a question. */
  cancelPaused(turn: string, why: string): void {
    this.#runs.cancel(turn, why);
  }

  /** Ends its process if it is idle, or waits for a person, who is denied then; its next turn resumes the session. */
  async evict(reason: CloseReason): Promise<void> {
    const { warm } = this.#agent;
    if (this.idleSince !== undefined || this.evictableSince === undefined) return warm.evict(reason);
    await this.#inLine(async (before) => {
      await before;
      await this.#runs.giveUp();
      await warm.evict(reason);
    });
  }

  /** Ends its process, whatever it does; resolves when its turns are over too. */
  async close(reason: CloseReason): Promise<void> {
    await this.#agent.close(reason);
    await this.#tail;
    await this.#runs.ended();
  }

  /** Whether a turn that its process cut may be finished by the next one. */
  mayResume(turn: Turn): boolean {
    return this.#agent.mayResume(turn);
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
      this.#changed();
    }
  }

  /** Rejects as long as the turn is not accepted, and where it is and gets no place. */
  async #admit(turn: Turn, late: AbortSignal): Promise<void> {
    const { journal, configuration } = this.#around;
    const how = await this.#runs.goOn(turn, originOfTurn(turn, journal));
    if (how === "over") return;
    if (how === "accepted") {
      using since = new WaitDeadline(configuration.limits.queueMs); // what it was told before took its time
      return this.#runs.run(turn, await this.#agent.take(turn, since.signal, true));
    }
    const goesOn = originOfTurn(turn, journal).kind === "end";
    const process = await this.#agent.take(turn, late, goesOn);
    try {
      await acceptTurn(turn, this.#agent, journal);
    } catch (error) {
      this.#agent.warm.rest();
      throw error;
    }
    await this.#runs.run(turn, process);
    if (turn.order.isStateless === true) void this.evict(ANSWERED);
  }

  #changed(): void {
    this.#runs.forgetLost();
    this.#around.onChange(this);
  }

  #checkRoom(): void {
    if (this.#pending <= MAX_PENDING) return;
    const message = `${MAX_PENDING} turns of this session are at its worker already`;
    throw new WireFailure("queue_full", message, { retryAfterMs: 1_000 });
  }
}
