import type { AgentAsk, AskSettlement, ToolCallDelta, TurnEnd, WireError } from "@synthesis/protocol";

/** What the client is told of its turn while it waits for it. */
export interface TurnFacts {
  readonly turn: string;
  readonly session: string;
  /** The identity rule that decided. */
  readonly rule: string;
  /** Turns of the session that go first. */
  readonly position: number;
  /** The running turn that its message is put into, if the agent takes it up there. */
  readonly steers?: string;
  /** The ask that its message settled: the answer is the rest of the turn in which that was asked. */
  readonly settles?: string;
  /** The turn was made for an earlier request, which this one repeats. */
  readonly isJoined?: boolean;
}

/** Where an answer goes: a stream, or one JSON object at its end. `seq` numbers the turn's events, from 1. */
export interface AnswerOutput {
  /** The request stands in its session's queue, or its turn was found. */
  admitted(facts: TurnFacts): void;
  /** The session's agent has lost the conversation, which begins anew with this turn: why. */
  sessionReset(why: string): void;
  text(text: string, seq: number): void;
  reasoning(text: string, seq: number): void;
  /** A piece of a call of one of the client's functions. */
  toolCall(call: ToolCallDelta, seq: number): void;
  /** The agent asks a person. What is said of it to people is text. */
  asked(ask: AgentAsk, seq: number): void;
  askSettled(settlement: AskSettlement, seq: number): void;
  completed(end: Extract<TurnEnd, { state: "completed" }>, seq: number): void;
  failed(error: WireError): void;
}
