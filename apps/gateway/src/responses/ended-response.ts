import type { TurnEnd } from "@synthesis/protocol";
import type { AnswerBlock } from "../answer/answer-blocks.ts";
import { outputItem } from "./output-item.ts";
import { responseBody, type ResponseHead } from "./response-body.ts";

/** A response whose turn has ended, with what was said. */
export function endedResponse(head: ResponseHead, blocks: readonly AnswerBlock[], end: TurnEnd): object {
  const output = blocks.map((block) =>
    outputItem(head.turn, block, block === blocks.at(-1) ? lastStatus(end) : "completed"),
  );
  return responseBody(head, { status: "ended", end }, output);
}

/** What the last item of an answer is that ended so. */
export function lastStatus(end: TurnEnd): "completed" | "incomplete" {
  const isWhole =
    end.state === "completed" && (end.finishReason === "stop" || end.finishReason === "tool_calls");
  return isWhole ? "completed" : "incomplete";
}
