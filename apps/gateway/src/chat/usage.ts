import type { Usage } from "@synthesis/protocol";

/** Usage in OpenAI's shape; `cost_usd` is ours. */
export function usageBody(usage: Usage, costUsd: number | undefined): object {
  const { inputTokens, cachedInputTokens, outputTokens, reasoningTokens } = usage;
  return {
    prompt_tokens: inputTokens,
    completion_tokens: outputTokens,
    total_tokens: inputTokens + outputTokens,
    prompt_tokens_details: { cached_tokens: cachedInputTokens },
    ...(reasoningTokens === undefined
      ? {}
      : { completion_tokens_details: { reasoning_tokens: reasoningTokens } }),
    ...(costUsd === undefined ? {} : { cost_usd: costUsd }),
  };
}
