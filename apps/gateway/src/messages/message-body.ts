import { WireFailure, type FinishReason, type TurnEnd, type Usage } from "@synthesis/protocol";
import type { AnswerBlock } from "../answer/answer-blocks.ts";

/** What a message says of its turn and request. */
export interface MessageHead {
  readonly turn: string;
  /** As the client named it. */
  readonly model: string;
}

/** A `message` object; without an end as `message_start` has it. Throws `turn_failed` for a call that is not whole. */
export function messageBody(
  { turn, model }: MessageHead,
  blocks: readonly AnswerBlock[],
  end?: Extract<TurnEnd, { state: "completed" }>,
): object {
  return {
    id: `msg_${turn.replaceAll("-", "")}`,
    type: "message",
    role: "assistant",
    model,
    content: blocks.map(contentBlock),
    stop_reason: end === undefined ? null : stopReasons[end.finishReason],
    stop_sequence: null,
    usage: messageUsage(end),
  };
}

/** A block of an answer as it is when nothing more comes. */
function contentBlock(block: AnswerBlock): object {
  const { content } = block;
  if (block.type === "call") return { ...emptyBlock(block), input: readInput(block.name, content) };
  return block.type === "text" ? { type: "text", text: content } : thinking(content);
}

function readInput(name: string, json: string): unknown {
  try {
    return JSON.parse(json);
  } catch (cause) {
    const message = `the agent called ${name} with arguments that are no JSON: ask again`;
    throw new WireFailure("turn_failed", message, { cause });
  }
}

/** A block of an answer as it is when it begins. */
export function emptyBlock(block: AnswerBlock): object {
  if (block.type === "call") return { type: "tool_use", id: block.id, name: block.name, input: {} };
  return block.type === "text" ? { type: "text", text: "" } : thinking("");
}

/** Without a signature: it is Claude Code's account of its thinking and its tools, which no API takes back. */
function thinking(text: string): object {
  return { type: "thinking", thinking: text, signature: "" };
}

export const stopReasons: Readonly<Record<FinishReason, string>> = {
  stop: "end_turn",
  length: "max_tokens",
  content_filter: "refusal",
  tool_calls: "tool_use",
};

const nothing: Usage = { inputTokens: 0, cachedInputTokens: 0, outputTokens: 0 };

/** Usage in Anthropic's shape, where what came from the cache is no input; `cost_usd` is ours. */
export function messageUsage(end: Extract<TurnEnd, { state: "completed" }> | undefined): object {
  const { inputTokens, cachedInputTokens, outputTokens, reasoningTokens } = end?.usage ?? nothing;
  return {
    input_tokens: inputTokens - cachedInputTokens,
    cache_creation_input_tokens: null,
    cache_read_input_tokens: cachedInputTokens,
    output_tokens: outputTokens,
    ...(reasoningTokens === undefined ? {} : { output_tokens_details: { thinking_tokens: reasoningTokens } }),
    ...(end?.costUsd === undefined ? {} : { cost_usd: end.costUsd }),
  };
}
