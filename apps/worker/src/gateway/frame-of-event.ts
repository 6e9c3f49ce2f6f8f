import type { WorkerFrame } from "@synthesis/protocol";
import type { NumberedTurnEvent } from "../turn/turn-event.ts";

/** What a gateway is told of one event of a turn. */
export function frameOfEvent(turn: string, event: NumberedTurnEvent): WorkerFrame {
  const { seq } = event;
  switch (event.kind) {
    case "text":
    case "question":
    case "file":
      return { type: "delta", turn, seq, text: event.text };
    case "reasoning":
    case "note":
      return { type: "reasoning", turn, seq, text: event.text };
    case "tool_call":
      return { type: "tool_called", turn, seq, call: event.call };
    case "asked":
      return { type: "asked", turn, seq, ask: event.ask };
    case "ask_settled":
      return { type: "ask_settled", turn, seq, ...event.settlement };
  }
}
