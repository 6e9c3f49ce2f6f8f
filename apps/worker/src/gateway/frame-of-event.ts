import { AgentAsk, AskSettlement, ToolCallDelta, type WorkerFrame } from "@synthesis/protocol";
import type { TurnEvent } from "../journal/turn-event-table.ts";

/** What a gateway is told of one event of a turn. */
export function frameOfEvent(turn: string, { seq, kind, text }: TurnEvent): WorkerFrame {
  switch (kind) {
    case "text":
    case "question":
      return { type: "delta", turn, seq, text };
    case "reasoning":
    case "note":
      return { type: "reasoning", turn, seq, text };
    case "tool_call":
      return { type: "tool_called", turn, seq, call: ToolCallDelta.parse(JSON.parse(text)) };
    case "asked":
      return { type: "asked", turn, seq, ask: AgentAsk.parse(JSON.parse(text)) };
    case "ask_settled":
      return { type: "ask_settled", turn, seq, ...AskSettlement.parse(JSON.parse(text)) };
  }
}
