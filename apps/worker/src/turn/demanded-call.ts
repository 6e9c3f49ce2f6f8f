import type { Submit, TranscriptCall, TurnEnd } from "@synthesis/protocol";

/** How a turn ends whose agent was to call a function of the client's: one that is complete without that has failed. */
export function withDemandedCall(
  end: TurnEnd,
  mustCall: Submit["mustCall"],
  calls: readonly TranscriptCall[],
): TurnEnd {
  if (mustCall === undefined || end.state !== "completed") return end;
  const { name } = mustCall;
  if (calls.some((call) => name === undefined || call.name === name)) return end;
  const asked = name === undefined ? "any of the client's functions" : `"${name}"`;
  const message = `the agent answered without calling ${asked}, which tool_choice demands: ask again, or leave the choice to it`;
  return { state: "failed", error: { code: "tool_choice_unmet", message } };
}
