import type { Usage } from "@synthesis/protocol";

/** Usage in OpenAI's shape; `cost_usd` is ours. */
export function usageBody(usage: Usage, costUsd: number | undefined): object {
  return {
    prompt_tokens: usage.inputTokens,
    completion_tokens: usage.outputTokens,
    total_tokens: usage.inputTokens + usage.outputTokens,
    prompt_tokens_details: { cached_tokens: usage.cachedInputTokens },
    ...(costUsd === undefined ? {} : { cost_usd: costUsd }),
  };
}
