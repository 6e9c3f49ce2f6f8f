import type { AgentAsk, AskSettlement, ToolCallDelta } from "@synthesis/protocol";

/** One thing that is told of a turn. */
export type TurnEvent =
  | {
      /**
       * text: of the answer. reasoning: thinking and tool activity. note: what became of the turn beside what its agent
       * did for it. question, file: an ask in words, and what stands for an attached file, which are part of the
       * answer, though its agent did not say them.
       */
      readonly kind: "text" | "reasoning" | "note" | "question" | "file";
      readonly text: string;
    }
  /** A piece of a call of a client's function. */
  | { readonly kind: "tool_call"; readonly call: ToolCallDelta }
  /** Its agent asks a person. */
  | { readonly kind: "asked"; readonly ask: AgentAsk }
  /** What it, or the turn that it goes on with, asked has its verdict. */
  | { readonly kind: "ask_settled"; readonly settlement: AskSettlement };

/** What an agent answers. */
export type AnswerEvent =
  | { readonly kind: "text"; readonly text: string }
  | Extract<TurnEvent, { kind: "tool_call" }>;

/** What is told beside the answer. */
export interface RemarkEvent {
  readonly kind: "reasoning" | "note";
  readonly text: string;
}

/** One with its number within its turn: from 1, without gaps. */
export type NumberedTurnEvent = TurnEvent & { readonly seq: number };
