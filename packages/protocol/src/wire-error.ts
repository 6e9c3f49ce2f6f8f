import * as z from "zod";

/**
 * Every error that crosses a process or HTTP edge has one of these codes. The gateway's
 * `answer/error-status.ts` is the one place that says what each means on HTTP, and whether a request may be sent again.
 */
export const ErrorCode = z.enum([
  // the request
  "invalid_request",
  "invalid_json",
  "unsupported_media_type",
  "body_too_large",
  "invalid_api_key",
  "host_not_allowed",
  "origin_not_allowed",
  "not_found",
  "method_not_allowed",
  "model_not_found",
  "workspace_not_allowed",
  "workspace_not_found",
  // admission
  "queue_full",
  "queue_timeout",
  "too_many_workspaces",
  "worker_unavailable",
  "shutting_down",
  /** Between gateway and worker only: it finishes what runs; the next generation takes the turn. */
  "worker_draining",
  /** Between gateway and worker only: the agent does not remember the conversation; send the turn with it. */
  "session_lost",
  "idempotency_conflict",
  /** The session has a running turn, and the request would not wait. */
  "session_busy",
  // the turn
  "agent_unavailable",
  "start_timeout",
  "first_byte_timeout",
  "tool_timeout",
  "stall_timeout",
  "turn_timeout",
  "turn_cancelled",
  "turn_interrupted",
  "turn_failed",
  "answer_diverged",
  /** The answer does not meet the JSON Schema that was asked for. */
  "answer_format_unmet",
  /** The agent did not call the function that it had to. */
  "tool_choice_unmet",
  "history_changed",
  "turn_not_found",
  "turn_gone",
  "session_not_found",
  /** No workspace has a file with this id, or none any more. */
  "file_not_found",
  // asks
  "ask_not_found",
  /** It has its verdict: the message says which, and by whom. */
  "ask_settled",
  /** Its agent does not take a verdict by this way. */
  "ask_not_yours",
  // Claude's own API
  "upstream_authentication",
  "upstream_rate_limit",
  "upstream_overloaded",
  "upstream_invalid_request",
  "upstream_error",
  "context_length_exceeded",
  "internal_error",
]);
export type ErrorCode = z.infer<typeof ErrorCode>;

/** An error as it travels. `message` names the subject and the remedy and is safe to show to the client. */
export const WireError = z.object({
  code: ErrorCode,
  message: z.string(),
  /** When a repetition makes sense, in milliseconds from now; absent: repeating is not advised. */
  retryAfterMs: z.number().int().nonnegative().optional(),
});
export type WireError = z.infer<typeof WireError>;

/** A {@link WireError} as an exception, for the stretch between where it is found and the edge that reports it. */
export class WireFailure extends Error {
  override readonly name = "WireFailure";
  readonly error: WireError;

  constructor(code: ErrorCode, message: string, options: { retryAfterMs?: number; cause?: unknown } = {}) {
    super(message, { cause: options.cause });
    const { retryAfterMs } = options;
    this.error = { code, message, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) };
  }

  /** The failure that a received {@link WireError} stands for. */
  static from({ code, message, retryAfterMs }: WireError): WireFailure {
    return new WireFailure(code, message, retryAfterMs === undefined ? {} : { retryAfterMs });
  }
}
