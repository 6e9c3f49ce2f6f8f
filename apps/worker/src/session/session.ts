import type { AgentSettings } from "@synthesis/config";
import { abortable, type CloseReason } from "@synthesis/kit";
import { WireFailure, type SessionInfo } from "@synthesis/protocol";
import type { AgentProcess } from "../drivers/agent-process.ts";
import { originOf, type TurnOrigin } from "../journal/turn-origin.ts";
import { TurnOutlet } from "../turn/turn-outlet.ts";
import type { Turn } from "../turn/turn.ts";
import { SessionAgent, type SessionAgentSurroundings, type SessionIdentity } from "./session-agent.ts";
import { StandingRun } from "./standing-run.ts";
import { runAttempts, type AttemptedTurn } from "./turn-attempts.ts";
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
  readonly #settings: AgentSettings;
  readonly #agent: SessionAgent;
  /** Settles with the last of what was handed in. */
  #tail: Promise<void> = Promise.resolve();
  #pending = 0;
  /** The run whose turn has ended with a question. */
  #standing: StandingRun | undefined;

  constructor(identity: SessionIdentity, settings: AgentSettings, around: SessionSurroundings) {
    this.id = identity.id;
    this.agent = identity.agent;
    this.#around = around;
    this.#settings = settings;
    this.#agent = new SessionAgent(identity, settings, around, () => this.#changed());
  }

  /** Whether something runs in it, or a process waits, for whoever lists sessions. */
  get state(): SessionInfo["state"] {
    if (this.#around.asks.isAsking(this.id)) return "asking";
    if (this.#pending > 0 || this.#standing?.state === "running") return "running";
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

  /** How long its process has been there, in ms. */
  get processAgeMs(): number {
    return this.#agent.warm.ageMs;
  }

  /** Whether nothing is lost when this object is dropped: no process, no turn. */
  get isUnused(): boolean {
    return this.#agent.warm.isCold && this.#pending === 0 && this.#standing === undefined;
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
        else this.#end(turn, { end: turn.failed(error) }); // accepted by an earlier generation
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

  /** Ends its process if it is idle; the session is resumed with its next turn. */
  async evict(reason: CloseReason): Promise<void> {
    await this.#agent.warm.evict(reason);
  }

  /** Ends its process, whatever it does; resolves when its turns are over too. */
  async close(reason: CloseReason): Promise<void> {
    await this.#agent.close(reason);
    await this.#tail;
    await this.#standing?.ended;
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

  /** Rejects as long as the turn is not accepted. */
  async #admit(turn: Turn, late: AbortSignal): Promise<void> {
    const how = this.#standing === undefined ? "next" : await this.#goOn(this.#standing, turn);
    if (how === "taken over") return;
    const { warm } = this.#agent;
    const goesOn = this.#originOf(turn).kind === "end";
    const process = await this.#agent.take(turn, late, goesOn);
    try {
      if (how !== "accepted") await this.#accept(turn);
    } catch (error) {
      warm.rest();
      throw error;
    }
    await this.#follow(this.#begin(process, turn), turn);
    if (turn.order.isStateless === true) void this.evict(ANSWERED);
  }

  /**
   * What a turn means for the run that stands: it takes it over; or is told the rest of it and, accepted by then, runs
   * next; or it makes an end of it and runs next.
   */
  async #goOn(run: StandingRun, turn: Turn): Promise<"taken over" | "accepted" | "next"> {
    turn.cancel.throwIfAborted();
    this.#agent.throwIfClosing();
    const origin = this.#originOf(turn);
    const meaning = origin.kind === "end" ? run.meaningOf(turn.order) : { kind: "other" as const };
    switch (meaning.kind) {
      case "verdict":
        turn.accept({ origin });
        turn.start();
        this.#standing = undefined;
        run.outlet.handTo(turn, meaning.verdict);
        await this.#follow(run, turn);
        return "taken over";
      case "later": {
        turn.accept({ origin, canBranch: this.#agent.canBranch });
        this.#standing = undefined;
        await run.tellRest(turn);
        return "accepted";
      }
      case "other":
        run.outlet.drop();
        await run.ended;
        this.#standing = undefined;
        return "next";
    }
  }

  #begin(process: AgentProcess | undefined, turn: Turn): StandingRun {
    const { asks } = this.#around;
    const outlet = new TurnOutlet({ turn, settings: this.#settings, asks });
    const ended = this.#runOn(process, turn, outlet).finally(() => this.#agent.warm.rest());
    return new StandingRun(outlet, turn.order.request.caller, ended, () => this.#changed());
  }

  /** Sees a turn to its end, or till it ends with a question; the run then stands. */
  async #follow(run: StandingRun, turn: Turn): Promise<void> {
    const attempted = await Promise.race([run.ended, run.outlet.parted]);
    if (attempted !== undefined) return this.#end(turn, attempted);
    turn.end({ state: "completed", finishReason: "stop" });
    this.#standing = run;
    this.#changed();
  }

  /** What is kept of a run is lost with its process, which bounds it. */
  #changed(): void {
    if (this.#standing?.state === "over" && this.#agent.warm.isCold) {
      if (this.#standing.outlet.hasKept) this.#around.log.warn("session.rest_dropped", { session: this.id });
      this.#standing = undefined;
    }
    this.#around.onChange(this);
  }

  /** Accepts it, if its agent remembers what it relies on; the session begins anew where it does not rely on anything. */
  async #accept(turn: Turn): Promise<void> {
    const { canBranch } = this.#agent;
    if (turn.state === "started") return void turn.accept({ canBranch }); // it is Claude's already
    const lost = await this.#lostFor(turn);
    turn.cancel.throwIfAborted();
    this.#agent.throwIfClosing();
    const origin = this.#originOf(turn); // another session that it branches off may have changed meanwhile
    turn.accept({ origin, reset: lost, canBranch });
    if (lost !== undefined) this.#agent.beginAnew(lost, turn);
  }

  /**
   * Why its session begins anew for a turn that is about to be accepted, without the client's wish; undefined: it does
   * not. Throws where the turn relies on what its agent does not remember.
   */
  async #lostFor(turn: Turn): Promise<string | undefined> {
    const origin = this.#originOf(turn);
    const { needsMemory } = turn.order;
    if (origin.kind === "branch") {
      const lost = await this.#agent.lostPlace(origin.place);
      if (lost === undefined) return undefined;
      throw new WireFailure("session_lost", lost);
    }
    const lost = origin.kind === "anew" ? undefined : await this.#agent.lostMemory();
    if (needsMemory && lost !== undefined) throw new WireFailure("session_lost", lost);
    if (needsMemory && (origin.kind === "anew" || !this.#agent.hasBegun))
      throw new WireFailure("session_lost", "the agent was told nothing of the session yet");
    return lost;
  }

  async #runOn(warm: AgentProcess | undefined, turn: Turn, outlet: TurnOutlet): Promise<AttemptedTurn> {
    const { limits } = this.#around.configuration;
    try {
      return await runAttempts({
        agent: this.#agent,
        turn,
        outlet,
        warm,
        limits,
        onAccountHeld: (untilMs) => this.#around.onAccountHeld(untilMs),
      });
    } catch (error) {
      return { end: turn.failed(error) };
    }
  }

  /** A worker that closes leaves to the next one what that one may run or finish. */
  #end(turn: Turn, { end, mark }: AttemptedTurn): void {
    const isCut = this.#agent.isClosing && end.state === "interrupted";
    if (isCut && (turn.state === "accepted" || this.mayResume(turn))) turn.leave();
    else turn.end(end, mark);
  }

  #checkRoom(): void {
    if (this.#pending <= MAX_PENDING) return;
    const message = `${MAX_PENDING} turns of this session are at its worker already`;
    throw new WireFailure("queue_full", message, { retryAfterMs: 1_000 });
  }

  /** Of one that an earlier generation accepted, its session has been brought there. */
  #originOf({ state, order }: Turn): TurnOrigin {
    return state === "waiting" ? originOf(order, this.#around.journal) : { kind: "end" };
  }
}
