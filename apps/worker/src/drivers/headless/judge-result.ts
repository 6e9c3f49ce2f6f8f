import type { ErrorCode, FinishReason, TurnEnd, Usage } from "@synthesis/protocol";
import type { ResultLine } from "./claude-line.ts";
import { rateLimitError } from "./rate-limit.ts";

export type CompletedTurn = Extract<TurnEnd, { state: "completed" }>;

/** How long to wait before an overloaded API is asked again: it does not say. */
const OVERLOADED_RETRY_MS = 10_000;
const MAX_DETAIL_CHARACTERS = 500;

/**
 * Whether a result is the end of this turn, by the uuids of its messages. One that names another message is not, nor is one that names none:
 * Claude Code also reports its own work so. A resumed turn that was compacted has lost its name (measured with
 * Claude Code 2.1.330).
 */
export function isEndOf(turnIds: ReadonlySet<string>, line: ResultLine): boolean {
  const { user_message_uuid: last, user_message_uuids, resume_reason, is_error } = line;
  const uuids = user_message_uuids ?? (last === undefined ? [] : [last]);
  return uuids.length > 0
    ? uuids.some((uuid) => turnIds.has(uuid))
    : is_error || resume_reason === "interrupted_turn";
}

/**
 * The end that a `result` line stands for. Judged by `is_error` and `terminal_reason`: `subtype` says
 * "success" for an API error (measured with Claude Code 2.1.330). `api` is what was told of the API before:
 * the word of the message that Claude Code made up to report its error, and when the account's limit ends (epoch ms).
 */
export function judgeResult(
  line: ResultLine,
  api: { readonly errorKind: string | undefined; readonly resetsAt: number | undefined },
): TurnEnd {
  // First: it is no error where a call waits for the client.
  if (line.terminal_reason?.startsWith("aborted_")) {
    return { state: "cancelled", error: { code: "turn_cancelled", message: "the turn was interrupted" } };
  }
  if (!line.is_error) return completed(line);
  const code = errorCode(line, api.errorKind);
  if (code === "upstream_rate_limit")
    return { state: "failed", error: rateLimitError(api.resetsAt, detail(line)) };
  const said = detail(line);
  const message = `${explain[code] ?? "the turn failed"}${said === "" ? "" : ` (${said})`}`;
  const retry = code === "upstream_overloaded" ? { retryAfterMs: OVERLOADED_RETRY_MS } : {};
  return { state: "failed", error: { code, message, ...retry } };
}

function completed(line: ResultLine): CompletedTurn {
  const costs = Object.values(line.model_usage_since_last_result ?? {}).map((usage) => usage.costUSD ?? 0);
  const usage = usageOf(line);
  return {
    state: "completed",
    finishReason: finishReason(line.stop_reason),
    ...(usage ? { usage } : {}),
    ...(costs.length > 0 ? { costUsd: sumOfCosts(costs) } : {}),
  };
}

/** To a billionth of a dollar: what is beyond that is noise of the addition. */
function sumOfCosts(costs: readonly number[]): number {
  return Math.round(costs.reduce((sum, cost) => sum + cost, 0) * 1e9) / 1e9;
}

/** The end of a turn of which Claude made two: `before` is that of its first part. */
export function joinedEnd(before: CompletedTurn, end: CompletedTurn): CompletedTurn {
  const costs = [before.costUsd, end.costUsd].filter((cost) => cost !== undefined);
  const usage = before.usage && end.usage ? addUsage(before.usage, end.usage) : (end.usage ?? before.usage);
  return {
    ...end,
    ...(usage ? { usage } : {}),
    ...(costs.length > 0 ? { costUsd: sumOfCosts(costs) } : {}),
  };
}

/** Why an answer stopped, in OpenAI's words. */
export function finishReason(stopReason: string | null | undefined): FinishReason {
  if (stopReason === "max_tokens" || stopReason === "model_context_window_exceeded") return "length";
  if (stopReason === "tool_deferred") return "tool_calls";
  return stopReason === "refusal" ? "content_filter" : "stop";
}

function usageOf({ usage }: ResultLine): Usage | undefined {
  if (usage === undefined) return undefined;
  const cached = usage.cache_read_input_tokens ?? 0;
  const thinking = usage.output_tokens_details?.thinking_tokens ?? 0; // Claude Code says 0 also where the API says nothing
  return {
    inputTokens: usage.input_tokens + cached + (usage.cache_creation_input_tokens ?? 0),
    cachedInputTokens: cached,
    outputTokens: usage.output_tokens,
    ...(thinking > 0 ? { reasoningTokens: thinking } : {}),
  };
}

function addUsage(one: Usage, other: Usage): Usage {
  const thinking = (one.reasoningTokens ?? 0) + (other.reasoningTokens ?? 0);
  return {
    inputTokens: one.inputTokens + other.inputTokens,
    cachedInputTokens: one.cachedInputTokens + other.cachedInputTokens,
    outputTokens: one.outputTokens + other.outputTokens,
    ...(thinking > 0 ? { reasoningTokens: thinking } : {}),
  };
}

function errorCode(
  { api_error_status: status, terminal_reason }: ResultLine,
  kind: string | undefined,
): ErrorCode {
  if (terminal_reason === "prompt_too_long" || status === 413) return "context_length_exceeded";
  if (status === 401 || status === 403 || kind === "authentication_failed") return "upstream_authentication";
  if (status === 429 || kind === "rate_limit") return "upstream_rate_limit";
  if (status === 529 || status === 503) return "upstream_overloaded";
  if (status === 400 || status === 404 || terminal_reason === "image_error")
    return "upstream_invalid_request";
  return terminal_reason === "api_error" ? "upstream_error" : "turn_failed";
}

const explain: Partial<Record<ErrorCode, string>> = {
  context_length_exceeded: "the conversation no longer fits the model's context",
  upstream_authentication:
    "Claude's API refused its credentials: check the account that Claude Code runs with",
  upstream_overloaded: "Claude's API is overloaded: try again later",
  upstream_invalid_request: "Claude's API refused the request",
  upstream_error: "Claude's API failed",
  turn_failed: "Claude Code ended the turn with an error",
};

function detail({ result, errors, terminal_reason }: ResultLine): string {
  const text = result || errors?.join("; ") || terminal_reason || "";
  return text.slice(0, MAX_DETAIL_CHARACTERS);
}
