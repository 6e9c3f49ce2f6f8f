import type { TurnEnd, TurnFrame } from "@synthesis/protocol";

/** It stopped because it was told to. */
export const CANCELLED: TurnEnd = {
  state: "cancelled",
  error: { code: "turn_cancelled", message: "the turn was interrupted" },
};

/** How a frame ends the turn that it speaks for, where it does. `hasReplied`: there is some text of the answer by now. */
export function endOfFrame(frame: TurnFrame, hasReplied: boolean): TurnEnd | undefined {
  switch (frame.type) {
    case "reply":
      return frame.final === false ? undefined : { state: "completed", finishReason: "stop" };
    case "turn_over":
      if (hasReplied) return { state: "completed", finishReason: "stop" };
      return {
        state: "failed",
        error: { code: "turn_failed", message: "the agent ended its turn without an answer" },
      };
    case "failure":
      return { state: "failed", error: { code: "turn_failed", message: frame.message } };
    case "cancelled":
      return CANCELLED;
    case "progress":
    case "seen":
      return undefined;
  }
}
