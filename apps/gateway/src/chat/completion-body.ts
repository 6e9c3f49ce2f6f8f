import type { WholeAnswer } from "../answer/whole-output.ts";
import { usageBody } from "./usage.ts";

/** What a completion says of its request. */
export interface CompletionHead {
  /** As the client named it. */
  readonly model: string;
  /** Of the configuration that answers, where it is known. */
  readonly fingerprint?: string;
}

/** An answer as one `chat.completion` object. */
export function completionBody(
  { model, fingerprint }: CompletionHead,
  { turn, blocks, end: { finishReason, usage, costUsd } }: WholeAnswer,
): object {
  const said = (type: "text" | "reasoning") =>
    blocks.flatMap((block) => (block.type === type ? [block.content] : [])).join("");
  const calls = blocks.flatMap((block) => {
    if (block.type !== "call") return [];
    const { id, name, content } = block;
    return [{ id, type: "function", function: { name, arguments: content } }];
  });
  const [text, reasoning] = [said("text"), said("reasoning")];
  const message = {
    role: "assistant",
    content: text === "" && calls.length > 0 ? null : text,
    refusal: null,
    ...(calls.length === 0 ? {} : { tool_calls: calls }),
    ...(reasoning === "" ? {} : { reasoning_content: reasoning }),
  };
  return {
    id: `chatcmpl-${turn}`,
    object: "chat.completion",
    created: Math.floor(Date.now() / 1000),
    model,
    system_fingerprint: fingerprint,
    choices: [{ index: 0, message, logprobs: null, finish_reason: finishReason }],
    ...(usage ? { usage: usageBody(usage, costUsd) } : {}),
  };
}
