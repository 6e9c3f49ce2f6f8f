import { ErrorCode } from "@synthesis/protocol";
import { expect, test } from "vitest";
import { errorBody } from "../../src/answer/error-body.ts";
import { errorStatus, errorType, retryAdvice } from "../../src/answer/error-status.ts";

const expected: Readonly<Record<number, readonly ErrorCode[]>> = {
  400: ["invalid_request", "invalid_json", "upstream_invalid_request", "context_length_exceeded"],
  401: ["invalid_api_key", "upstream_authentication"],
  403: ["origin_not_allowed", "workspace_not_allowed", "ask_not_yours"],
  404: [
    "not_found",
    "model_not_found",
    "workspace_not_found",
    "turn_not_found",
    "session_not_found",
    "ask_not_found",
    "file_not_found",
  ],
  405: ["method_not_allowed"],
  409: ["turn_cancelled", "history_changed", "session_busy", "ask_settled"],
  410: ["turn_gone"],
  413: ["body_too_large"],
  415: ["unsupported_media_type"],
  421: ["host_not_allowed"],
  422: ["idempotency_conflict"],
  429: ["queue_full", "too_many_workspaces", "upstream_rate_limit"],
  500: ["internal_error"],
  502: [
    "turn_interrupted",
    "turn_failed",
    "answer_diverged",
    "answer_format_unmet",
    "tool_choice_unmet",
    "upstream_error",
  ],
  503: [
    "queue_timeout",
    "worker_unavailable",
    "worker_draining",
    "session_lost",
    "shutting_down",
    "agent_unavailable",
    "upstream_overloaded",
  ],
  504: ["start_timeout", "first_byte_timeout", "tool_timeout", "stall_timeout", "turn_timeout"],
};

test("every error code has exactly one status here, and no other", () => {
  expect(Object.values(expected).flat().sort()).toEqual([...ErrorCode.options].sort());
  expect(Object.keys(errorStatus).sort()).toEqual([...ErrorCode.options].sort());
});

test.for(
  Object.entries(expected).flatMap(([status, codes]) => codes.map((code) => [code, Number(status)] as const)),
)("%s is HTTP %i", ([code, status]) => {
  expect(errorStatus[code].status).toBe(status);
});

test("what may be sent again has a type for which OpenAI's clients do so, and all else one for which none does", () => {
  const inviting = ["server_error", "upstream_error", "rate_limit_error"];
  for (const code of ErrorCode.options) {
    const { type } = errorStatus[code];
    const isForAll = type === "authentication_error" || type === "permission_error";
    expect(errorType({ code })).toBe(isForAll ? type : "invalid_request_error");
    const hinted = { code, retryAfterMs: 1 };
    if (errorStatus[code].retry === "never") expect(errorType(hinted)).toBe(errorType({ code }));
    else expect([...inviting, "invalid_request_error"]).toContain(errorType(hinted));
  }
});

test.for<[ErrorCode, ReturnType<typeof retryAdvice>]>([
  ["upstream_overloaded", { isAdvised: true, afterMs: 9 }],
  ["session_busy", { isAdvised: false, afterMs: 9 }], // its SDK is not to wait
  ["turn_interrupted", { isAdvised: false, afterMs: undefined }], // it may have had effects, whatever its thrower says
])("%s may be sent again: %j", ([code, advice]) => {
  expect(retryAdvice({ code, retryAfterMs: 9 })).toEqual(advice);
  expect(retryAdvice({ code })).toEqual({ isAdvised: false, afterMs: undefined });
});

test("an error's body is OpenAI's envelope and nothing more", () => {
  expect(errorBody({ code: "queue_full", message: "wait", retryAfterMs: 9 })).toEqual({
    error: { message: "wait", type: "rate_limit_error", param: null, code: "queue_full" },
  });
});
