import type { AnswerBlock } from "../answer/answer-blocks.ts";
import { itemId } from "./response-id.ts";

export type ItemStatus = "in_progress" | "completed" | "incomplete";

/** A block of a turn's answer as an item of its response; one that is in progress as it was when it began. */
export function outputItem(turn: string, block: AnswerBlock, status: ItemStatus): object {
  const id = blockId(turn, block);
  const isBegun = status === "in_progress";
  switch (block.type) {
    case "text":
      return {
        id,
        type: "message",
        role: "assistant",
        status,
        content: isBegun ? [] : [textPart(block.content)],
      };
    case "reasoning":
      return { id, type: "reasoning", status, summary: isBegun ? [] : [summaryPart(block.content)] };
    case "call": {
      const { id: call_id, name, content } = block;
      return { id, type: "function_call", status, call_id, name, arguments: isBegun ? "" : content };
    }
  }
}

const prefixes = { text: "msg", reasoning: "rs", call: "fc" } as const;

export function blockId(turn: string, { type, index }: AnswerBlock): string {
  return itemId(prefixes[type], turn, index);
}

export function textPart(text: string): object {
  return { type: "output_text", text, annotations: [], logprobs: [] };
}

export function summaryPart(text: string): object {
  return { type: "summary_text", text };
}
