import type { TurnEnd, Usage, WireError } from "@synthesis/protocol";
import { errorType } from "../answer/error-status.ts";
import { responseId } from "./response-id.ts";

/** What a response says of its request. A response that is retrieved has only some of it: requests are not kept. */
export interface ResponseHead {
  readonly turn: string;
  /** As the client named it; of a retrieved one, the agent. */
  readonly model: string;
  /** Epoch ms. */
  readonly createdAt: number;
  /** The fields of the request that a response repeats. */
  readonly echo: Readonly<Record<string, unknown>>;
}

/** How far a response is. */
export type ResponseState =
  | { readonly status: "queued" | "in_progress" }
  | { readonly status: "ended"; readonly end: TurnEnd };

/** What a response has where its request did not say so. */
const defaults = {
  background: false,
  conversation: null,
  instructions: null,
  max_output_tokens: null,
  metadata: {},
  parallel_tool_calls: true,
  previous_response_id: null,
  reasoning: { effort: null, summary: null },
  store: true,
  temperature: null,
  text: { format: { type: "text" } },
  tool_choice: "auto",
  tools: [],
  top_p: null,
  truncation: "disabled",
};

/** A `response` object. */
export function responseBody(
  { turn, model, createdAt, echo }: ResponseHead,
  state: ResponseState,
  output: readonly object[] = [],
): object {
  return {
    ...defaults,
    ...echo,
    id: responseId(turn),
    object: "response",
    created_at: Math.floor(createdAt / 1000),
    model,
    ...(state.status === "ended" ? ended(state.end) : { status: state.status, ...unknownYet }),
    output,
  };
}

const unknownYet = { error: null, incomplete_details: null, usage: null };

function ended(end: TurnEnd): object {
  if (end.state !== "completed") {
    const status = end.state === "cancelled" ? "cancelled" : "failed";
    return { ...unknownYet, status, error: responseError(end.error) };
  }
  const reason = incompleteReasons[end.finishReason];
  return {
    status: reason === undefined ? "completed" : "incomplete",
    error: null,
    incomplete_details: reason === undefined ? null : { reason },
    usage: end.usage === undefined ? null : usageBody(end.usage, end.costUsd),
  };
}

const incompleteReasons = {
  stop: undefined,
  tool_calls: undefined,
  length: "max_output_tokens",
  content_filter: "content_filter",
} as const;

/** An error as responses and their streams have it. */
export function responseError(error: WireError): object {
  const { code, message } = error;
  return { code, message, param: null, type: errorType(error) };
}

/** Usage in the words of the Responses API; `cost_usd` is ours. */
function usageBody(usage: Usage, costUsd: number | undefined): object {
  return {
    input_tokens: usage.inputTokens,
    input_tokens_details: { cached_tokens: usage.cachedInputTokens },
    output_tokens: usage.outputTokens,
    output_tokens_details: { reasoning_tokens: usage.reasoningTokens ?? 0 },
    total_tokens: usage.inputTokens + usage.outputTokens,
    ...(costUsd === undefined ? {} : { cost_usd: costUsd }),
  };
}
