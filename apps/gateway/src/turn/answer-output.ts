import type { TurnEnd, WireError } from "@synthesis/protocol";

/** What the client is told of its turn while it waits for it. */
export interface TurnFacts {
  readonly turn: string;
  readonly session: string;
  /** The identity rule that decided. */
  readonly rule: string;
  /** Turns of the session that go first. */
  readonly position: number;
}

/** Where an answer goes: a stream, or one JSON object at its end. */
export interface AnswerOutput {
  /** The request stands in its session's queue. */
  admitted(facts: TurnFacts): void;
  text(text: string): void;
  reasoning(text: string): void;
  completed(end: Extract<TurnEnd, { state: "completed" }>): void;
  failed(error: WireError): void;
}
