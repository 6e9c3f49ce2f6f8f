import type { CloseReason } from "@synthesis/kit";
import type { TurnEnd, WireError } from "@synthesis/protocol";

/** One prompt for an agent. */
export interface AgentTurn {
  /** UUID; the agent's own name for the message where it has one. */
  readonly id: string;
  readonly prompt: string;
  /** The model asked for in this turn, where it differs from the agent's. */
  readonly model: string | undefined;
}

/** What an agent process reports while it runs a turn. */
export interface TurnEvents {
  /** Right before the prompt is written; what it throws keeps the prompt from being written. */
  onStart(): void;
  /** Text of the answer: in order, without repetition. */
  onText(text: string): void;
  /** Thinking and tool activity. */
  onReasoning(text: string): void;
  /** Any sign that the agent is at work. */
  onLife(): void;
  /** The turn cannot end well; the agent should be interrupted. */
  onHopeless(error: WireError): void;
}

/** The turn's end, or that the prompt found no conversation and nothing was run. */
export type AgentTurnEnd = TurnEnd | { readonly state: "session_lost" };

/**
 * One running agent: the one interface between the worker and its drivers. Runs one turn at a time.
 */
export interface AgentProcess {
  /** Process id, where the program could be started. */
  readonly pid: number | undefined;
  /** Whether it runs, as far as the system has said: it is false before {@link closed} settles. */
  readonly isAlive: boolean;
  /** Settles once, when the process and everything it started is gone. */
  readonly closed: Promise<CloseReason>;
  /**
   * Runs a turn to its end; a process that dies ends its turn as `interrupted`. Rejects only with what
   * `onStart` throws, and then the prompt was not written.
   */
  run(turn: AgentTurn, events: TurnEvents): Promise<AgentTurnEnd>;
  /** Asks the agent to stop the running turn, which then ends. Does nothing when none runs. */
  interrupt(): void;
  /** Ends the process: asks, then kills after `closeMs`. Resolves when {@link closed} does. */
  close(reason: CloseReason): Promise<void>;
  /** Ends the process and all its descendants at once. */
  kill(reason: CloseReason): Promise<void>;
}
