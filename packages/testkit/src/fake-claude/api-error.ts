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
  output.assistant([{ type: "text", text }], { error, is_api_error_message: true, api_error_status: status });
  return {
    subtype: "success",
    isError: true,
    terminalReason: isTooLong ? "prompt_too_long" : "api_error",
    text,
    stopReason: "stop_sequence",
    apiErrorStatus: status,
  };
}
