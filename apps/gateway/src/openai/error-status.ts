import type { ErrorCode, WireError } from "@synthesis/protocol";

/** How an error code shows on HTTP. */
export interface ErrorStatus {
  readonly status: number;
  /** OpenAI's error type. */
  readonly type: string;
}

const invalid = (status = 400): ErrorStatus => ({ status, type: "invalid_request_error" });
const upstream = (status: number): ErrorStatus => ({ status, type: "upstream_error" });
const server = (status: number): ErrorStatus => ({ status, type: "server_error" });

/** The one place that maps every code to its HTTP status and OpenAI type. */
export const errorStatus: Readonly<Record<ErrorCode, ErrorStatus>> = {
  invalid_request: invalid(),
  invalid_json: invalid(),
  unsupported_media_type: invalid(415),
  body_too_large: invalid(413),
  invalid_api_key: { status: 401, type: "authentication_error" },
  host_not_allowed: invalid(421),
  origin_not_allowed: { status: 403, type: "permission_error" },
  not_found: invalid(404),
  method_not_allowed: invalid(405),
  model_not_found: invalid(404),
  workspace_not_allowed: invalid(403),
  workspace_not_found: invalid(404),
  queue_full: { status: 429, type: "rate_limit_error" },
  queue_timeout: server(503),
  too_many_workspaces: { status: 429, type: "rate_limit_error" },
  worker_unavailable: server(503),
  shutting_down: server(503),
  worker_draining: server(503),
  session_lost: server(503),
  idempotency_conflict: invalid(422),
  session_busy: invalid(409),
  agent_unavailable: server(503),
  start_timeout: server(504),
  first_byte_timeout: server(504),
  tool_timeout: server(504),
  stall_timeout: server(504),
  turn_timeout: server(504),
  turn_cancelled: invalid(409),
  turn_interrupted: server(502),
  turn_failed: server(502),
  answer_diverged: server(502),
  answer_format_unmet: server(502),
  tool_choice_unmet: server(502),
  history_changed: invalid(409),
  turn_not_found: invalid(404),
  turn_gone: invalid(410),
  session_not_found: invalid(404),
  ask_not_found: invalid(404),
  ask_settled: invalid(409),
  ask_not_yours: invalid(403),
  upstream_authentication: { status: 401, type: "authentication_error" },
  upstream_rate_limit: { status: 429, type: "rate_limit_error" },
  upstream_overloaded: upstream(503),
  upstream_invalid_request: invalid(),
  upstream_error: upstream(502),
  context_length_exceeded: invalid(),
  internal_error: server(500),
};

const inviting: ReadonlySet<string> = new Set(["server_error", "upstream_error", "rate_limit_error"]);

/**
 * The type that an error has for its client. OpenClaw (2026.9.6) decides by it alone, in a stream and before, whether
 * to send the request again: so what must not be repeated is an `invalid_request_error`, whoever is to blame. (At
 * `authentication_error` and `permission_error` it stops asking for all agents, which concerns them all.)
 */
export function errorType({ code, retryAfterMs }: Pick<WireError, "code" | "retryAfterMs">): string {
  const { type } = errorStatus[code];
  return inviting.has(type) && retryAfterMs === undefined ? "invalid_request_error" : type;
}
