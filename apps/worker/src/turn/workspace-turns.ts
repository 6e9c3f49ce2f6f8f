import type { Limits } from "@synthesis/config";
import type { Logger } from "@synthesis/kit";
import { WireFailure, type FindTurn, type Prompt, type Submit, type TurnInfo } from "@synthesis/protocol";
import type { Journal } from "../journal/journal.ts";
import type { OpenTurn } from "../journal/turn-table.ts";
import { TurnOutput } from "./turn-output.ts";
import type { TurnSink } from "./turn-sink.ts";
import { Turn } from "./turn.ts";

export interface WorkspaceTurnsOptions {
  readonly journal: Journal;
  readonly limits: Limits;
  readonly log: Logger;
}

/** The turns of a workspace: those at work, and those that only its journal knows. */
export class WorkspaceTurns {
  readonly #options: WorkspaceTurnsOptions;
  readonly #output: TurnOutput;
  readonly #turns = new Map<string, Turn>();
  /** Those that the next generation of the worker takes up. */
  readonly #left = new Set<string>();
  #whenNone = Promise.withResolvers<void>();

  constructor(options: WorkspaceTurnsOptions) {
    const { journal, limits, log } = options;
    this.#options = options;
    this.#output = new TurnOutput(journal.events, limits.turnLogBytes, log);
  }

  /** How many are at work. */
  get size(): number {
    return this.#turns.size;
  }

  /** Those at work. */
  get live(): Iterable<Turn> {
    return this.#turns.values();
  }

  isKnown(id: string): boolean {
    return this.#turns.has(id) || this.#options.journal.turns.isKnown(id);
  }

  /** A turn that begins, or that an earlier generation of the worker `left`. */
  add(order: Submit, left?: OpenTurn): Turn {
    const { journal, log } = this.#options;
    const turn: Turn = new Turn({
      order,
      journal,
      output: this.#output,
      log,
      ...(left === undefined ? {} : { left }),
      onOver: () => {
        if (turn.state === "left") this.#left.add(order.turn);
        if (this.#turns.get(order.turn) === turn) this.#turns.delete(order.turn);
        this.#checkNone();
      },
    });
    this.#turns.set(order.turn, turn);
    return turn;
  }

  /** Tells `sink` a turn's events after a number, and those to come. */
  follow(id: string, after: number, sink: TurnSink): void {
    const turn = this.#turns.get(id);
    if (turn) return turn.follow(sink, after);
    if (this.#left.has(id)) return; // the end of this link is near, and the next generation will tell
    const { journal } = this.#options;
    journal.settle();
    const record = journal.turns.get(id);
    if (record?.end === undefined) return sink.gone(id);
    const lastSeq = record.seq - 1;
    const events = this.#output.after(id, Math.min(after, lastSeq), lastSeq); // who has the end lacks nothing
    if (events === undefined) return sink.gone(id, record.end);
    sink.accepted(id);
    for (const event of events) sink.event(id, event);
    sink.ended(id, record.seq, record.end);
  }

  /**
   * Nobody reads what `sink` is told any more. A turn that is not accepted dies with the gateway that waited for
   * it, whose client may have asked another one already.
   */
  unfollow(sink: TurnSink): void {
    for (const turn of this.#turns.values()) {
      turn.unfollow(sink);
      if (turn.state !== "waiting" || turn.isFollowed) continue;
      this.#turns.delete(turn.id);
      turn.stop(new WireFailure("turn_cancelled", "its gateway is gone"));
    }
    this.#checkNone();
  }

  /** The turn that was run for a request, if a repetition of it joins that one. */
  find(caller: string, by: FindTurn["by"]): TurnInfo | undefined {
    const { journal, limits } = this.#options;
    journal.settle();
    const found = journal.turns.find(caller, by, Date.now() - limits.retryMs);
    if (found === undefined) return undefined;
    const live = this.#turns.get(found.turn);
    const isImplicit = "body" in by || "prompt" in by;
    if (isImplicit && live?.isFollowed) return undefined;
    const { caller: _, resumes: __, ...info } = found;
    // Its row has the number of its last event only once it has ended.
    return found.end === undefined ? { ...info, seq: journal.events.lastSeq(found.turn) } : info;
  }

  /** Its client has the turn's end. */
  take(id: string): void {
    const { journal, log } = this.#options;
    try {
      journal.take(id);
    } catch (error) {
      log.error("journal.write_failed", { turn: id, error: String(error) });
    }
  }

  /** Stops a turn, accepted or not. One that is unknown or over is left as it is. */
  cancel(id: string, why: string): void {
    this.#turns.get(id)?.stop(new WireFailure("turn_cancelled", `the turn was cancelled: ${why}`));
  }

  /** Says something to the agent within a turn: see `TurnSteers.say`. One that is unknown or over takes nothing up. */
  async steer(id: string, message: string, prompt: Prompt): Promise<number | undefined> {
    return this.#turns.get(id)?.steers.say(message, prompt);
  }

  /** Takes back what was said within a turn: see `TurnSteers.withdraw`. */
  withdrawSteer(id: string, message: string): void {
    this.#turns.get(id)?.steers.withdraw(message);
  }

  /** Cancels whatever waits or runs of a session. */
  cancelSession(session: string, why: string): void {
    for (const { id, order } of this.#turns.values()) if (order.session.id === session) this.cancel(id, why);
  }

  /** Refuses what is not accepted yet. */
  refuseWaiting(reason: WireFailure): void {
    for (const turn of this.#turns.values()) if (turn.state === "waiting") turn.stop(reason);
  }

  /** Resolves when none is at work. */
  async whenNone(): Promise<void> {
    if (this.#turns.size > 0) await this.#whenNone.promise;
  }

  /** What was said goes into the journal now. */
  flush(): void {
    this.#output.flush();
  }

  #checkNone(): void {
    if (this.#turns.size > 0) return;
    this.#whenNone.resolve();
    this.#whenNone = Promise.withResolvers();
  }
}
