import type { TurnEnd, WireError } from "@synthesis/protocol";

/** How a turn ends that was stopped for this error: cancelled if it was asked to, interrupted if its worker closes. */
export function endOfStop(error: WireError): TurnEnd {
  if (error.code === "turn_cancelled") return { state: "cancelled", error };
  if (error.code === "turn_interrupted") return { state: "interrupted", error };
  return { state: "failed", error };
}
