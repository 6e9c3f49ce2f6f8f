import type { TurnEnd } from "@synthesis/protocol";
import type { AgentTurnEnd, TurnEvents } from "../agent-process.ts";
import type { ClaudeLine, LineOf } from "./claude-line.ts";
import { Steers } from "./steers.ts";
import { TurnReader, type ReadTurn } from "./turn-reader.ts";

export interface RunningTurnOptions {
  readonly turn: ReadTurn;
  readonly events: TurnEvents;
  /** Asks Claude to drop a message. */
  readonly withdraw: (message: string) => void;
  /** It is over, and Claude does not say what becomes of the messages that it was to drop. */
  readonly onUnsettled: () => void;
}

/** How long Claude may take to say so, in ms; it answers at once. */
const UNSETTLED_MS = 5_000;

/** What a line means for the turn: its end, or that Claude does something beside it that cannot be called off. */
export type TurnStep = TurnEnd | "astray" | undefined;

/**
 * The turn that a Claude process runs, with what is said within it. A message that Claude did not take up begins by
 * itself once the turn is over, faster than it can be withdrawn (measured with 2.1.330): the turn then goes on with it.
 */
export class RunningTurn {
  readonly id: string;
  readonly reader: TurnReader;
  readonly ended: Promise<AgentTurnEnd>;
  readonly #settle: (end: AgentTurnEnd) => void;
  readonly events: TurnEvents;
  readonly #steers: Steers;
  readonly #onUnsettled: () => void;
  #takesSteers: boolean;
  #isHeard = false;
  #held: TurnEnd | undefined;
  #unsettled: NodeJS.Timeout | undefined;

  constructor({ turn, events, withdraw, onUnsettled }: RunningTurnOptions) {
    this.id = turn.id;
    this.reader = new TurnReader(turn, events);
    this.events = events;
    this.#steers = new Steers(withdraw);
    this.#onUnsettled = onUnsettled;
    this.#takesSteers = !turn.isStructured; // that answer is one
    const { promise, resolve } = Promise.withResolvers<AgentTurnEnd>();
    this.ended = promise;
    this.#settle = resolve;
  }

  /** Whether Claude said anything since the prompt was written. */
  get isHeard(): boolean {
    return this.#isHeard;
  }

  /** Its end, as long as it is not known what becomes of the messages that Claude has not taken up. */
  get held(): TurnEnd | undefined {
    return this.#held;
  }

  /** Has a message `written`, unless it may not be said any more; resolves with whether Claude takes it up. */
  async steer(message: string, write: () => void): Promise<boolean> {
    const given = this.#steers.find(message);
    if (given !== undefined) return given;
    if (!this.#takesSteers) return false;
    const taken = this.#steers.add(message);
    write();
    return taken;
  }

  /** Claude is to drop a message that it has not taken up. */
  withdrawSteer(message: string): void {
    this.#steers.withdraw(message);
  }

  /** Nothing more is said in it: it is being interrupted, which withdraws what waits. */
  closeToSteers(): void {
    this.#takesSteers = false;
  }

  read(line: ClaudeLine): TurnStep {
    if (line.type === "control_response") return undefined;
    if (line.type === "command_lifecycle" && line.command_uuid !== this.id) return this.#readSteer(line);
    if (line.type !== "control_request") this.#isHeard = true; // at its start Claude asks for the functions
    if (this.#held !== undefined) return undefined; // over, but for what it may go on with
    const end = this.reader.read(line);
    if (this.#takesSteers && (endsAnswer(line) || !this.reader.calls.isEmpty)) this.#withdrawSteers();
    if (end === undefined || this.#steers.areSettled) return end;
    this.#held = end;
    this.#unsettled = setTimeout(this.#onUnsettled, UNSETTLED_MS);
    this.#withdrawSteers();
    return undefined;
  }

  /** It has ended so. */
  end(end: AgentTurnEnd): void {
    clearTimeout(this.#unsettled);
    this.#steers.end();
    this.#settle(end);
  }

  #withdrawSteers(): void {
    this.#takesSteers = false;
    this.#steers.withdrawAll();
  }

  #readSteer(line: LineOf<"command_lifecycle">): TurnStep {
    const isTaken = this.#steers.takesUp(line);
    const held = this.#held;
    if (isTaken) {
      // A turn that failed, or waits for its client, does not go on.
      if (held !== undefined && (held.state !== "completed" || held.finishReason === "tool_calls"))
        return "astray";
      const message = line.command_uuid;
      this.events.onSteered(message);
      this.#steers.settle(message, true);
      if (held !== undefined) this.reader.goOn(message, held);
      this.#held = undefined;
      clearTimeout(this.#unsettled);
    }
    return this.#steers.areSettled ? this.#held : undefined;
  }
}

/** Whether the model's answer is complete with this line, as far as Claude tells before its result. */
function endsAnswer(line: ClaudeLine): boolean {
  if (line.type !== "stream_event" || line.parent_tool_use_id != null) return false;
  return line.event.delta?.stop_reason === "end_turn" || line.event.delta?.stop_reason === "stop_sequence";
}
