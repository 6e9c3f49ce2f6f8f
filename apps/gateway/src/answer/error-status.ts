import type { ErrorCode, WireError } from "@synthesis/protocol";

/** What an error code means to a client. */
export interface ErrorStatus {
  /** Of HTTP. */
  readonly status: number;
  /** OpenAI's error type, where the request may be sent again as it is. */
  readonly type: string;
  readonly retry: Retry;
}

/**
 * Whether the same request may be sent again. never: it would fail again, or might act twice. hinted: as soon as the
 * error says; where it does not say when, never. by-hand: its sender is told when, its SDK is not to wait for it.
 */
type Retry = "never" | "hinted" | "by-hand";

const INVALID = "invalid_request_error";
const final = (status = 400, type = INVALID): ErrorStatus => ({ status, type, retry: "never" });
const passing = (status = 503, type = "server_error"): ErrorStatus => ({ status, type, retry: "hinted" });

/** The one place that says what every code means. */
export const errorStatus: Readonly<Record<ErrorCode, ErrorStatus>> = {
  invalid_request: final(),
  invalid_json: final(),
  unsupported_media_type: final(415),
  body_too_large: final(413),
  invalid_api_key: final(401, "authentication_error"),
  host_not_allowed: final(421),
  origin_not_allowed: final(403, "permission_error"),
  not_found: final(404),
  method_not_allowed: final(405),
  model_not_found: final(404),
  workspace_not_allowed: final(403),
  workspace_not_found: final(404),
  queue_full: passing(429, "rate_limit_error"),
  queue_timeout: passing(),
  too_many_workspaces: passing(429, "rate_limit_error"),
  worker_unavailable: passing(),
  shutting_down: passing(),
  worker_draining: passing(),
  session_lost: passing(),
  idempotency_conflict: passing(422, INVALID),
  session_busy: { status: 409, type: INVALID, retry: "by-hand" },
  agent_unavailable: passing(),
  start_timeout: final(504),
  first_byte_timeout: final(504),
  tool_timeout: final(504),
  stall_timeout: final(504),
  turn_timeout: final(504),
  turn_cancelled: final(409),
  turn_interrupted: final(502),
  turn_failed: passing(502),
  answer_diverged: final(502),
  answer_format_unmet: final(502),
  tool_choice_unmet: final(502),
  history_changed: passing(409, INVALID),
  turn_not_found: final(404),
  turn_gone: final(410),
  session_not_found: final(404),
  file_not_found: final(404),
  ask_not_found: final(404),
  ask_settled: final(409),
  ask_not_yours: final(403),
  upstream_authentication: final(401, "authentication_error"),
  upstream_rate_limit: passing(429, "rate_limit_error"),
  upstream_overloaded: passing(503, "upstream_error"),
  upstream_invalid_request: final(),
  upstream_error: passing(502, "upstream_error"),
  context_length_exceeded: final(),
  internal_error: final(500),
};

/** Whether, and in how many ms, the same request may be sent again. */
export interface RetryAdvice {
  /** Whether an SDK is to do that by itself. */
  readonly isAdvised: boolean;
  readonly afterMs: number | undefined;
}

export function retryAdvice({ code, retryAfterMs }: Pick<WireError, "code" | "retryAfterMs">): RetryAdvice {
  const { retry } = errorStatus[code];
  if (retry === "never") return { isAdvised: false, afterMs: undefined };
  return { isAdvised: retry === "hinted" && retryAfterMs !== undefined, afterMs: retryAfterMs };
}

/**
 * The type that an error has for OpenAI's clients. OpenClaw (2026.9.6) decides by it alone, in a stream and before,
 * whether to send the request again: so what must not be repeated is an `invalid_request_error`, whoever is to blame.
 * (At `authentication_error` and `permission_error` it stops asking for all agents, which concerns them all.)
 */
export function errorType(error: Pick<WireError, "code" | "retryAfterMs">): string {
  const { type, retry } = errorStatus[error.code];
  return retry === "never" || retryAdvice(error).isAdvised ? type : INVALID;
}
