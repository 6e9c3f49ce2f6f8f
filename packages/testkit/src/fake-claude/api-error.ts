import type { TurnOutcome } from "./result-line.ts";
import type { TurnOutput } from "./turn-output.ts";

/** What the real CLI calls an API status, and how its text starts. */
export function apiErrorText(status: number): { readonly error: string; readonly prefix: string } {
  if (status === 401 || status === 403)
    return { error: "authentication_failed", prefix: "Failed to authenticate. API Error" };
  if (status === 429) return { error: "rate_limit", prefix: "API Error" };
  if (status === 404) return { error: "model_not_found", prefix: "API Error" };
  if (status === 400 || status === 413) return { error: "invalid_request", prefix: "API Error" };
  if (status === 529) return { error: "overloaded", prefix: "API Error" };
  return { error: "server_error", prefix: "API Error" };
}

/** Writes the synthetic `assistant` of an API error and returns how its turn ends. */
export function apiError(output: TurnOutput, status: number, message: string): TurnOutcome {
  const isTooLong = message.startsWith("prompt is too long");
  const { error, prefix } = apiErrorText(status);
  const text = isTooLong ? "Prompt is too long" : `${prefix}: ${status} ${message || `fake error ${status}`}`;
  output.apiError(text, error, status, {});
  return failure(status, text, isTooLong ? "prompt_too_long" : "api_error");
}

/** Writes what a subscription's usage limit looks like, and returns how its turn ends. `resetsAt`: epoch seconds. */
export function usageLimit(output: TurnOutput, resetsAt: number): TurnOutcome {
  const rate_limit_info = { status: "rejected", resetsAt, rateLimitType: "five_hour", isUsingOverage: false };
  output.line({ type: "rate_limit_event", rate_limit_info });
  const text = "You've hit your 5-hour limit · resets soon (UTC)";
  const api_error_params = { rate_limit_info };
  output.apiError(text, "rate_limit", 429, { api_error: "usage_limit_reached", api_error_params });
  return failure(429, text, "api_error");
}

function failure(apiErrorStatus: number, text: string, terminalReason: string): TurnOutcome {
  const stopReason = "stop_sequence";
  return { subtype: "success", isError: true, terminalReason, text, stopReason, apiErrorStatus };
}
