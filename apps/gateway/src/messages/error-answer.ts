import type { ServerResponse } from "node:http";
import type { ErrorCode, WireError } from "@synthesis/protocol";
import { errorHeaders, respondJson } from "../http/respond.ts";
import { errorStatus } from "../answer/error-status.ts";

/** Whether a path is one of the Messages API, whose clients understand its errors only. */
export function isMessagesPath(path: string): boolean {
  return path === "/v1/messages" || path.startsWith("/v1/messages/");
}

/** Answers with an error in the shape of the Messages API. */
export function respondMessagesError(response: ServerResponse, error: WireError): void {
  const headers = { ...errorHeaders(error), ...requestIdHeader(response) };
  respondJson(response, errorStatus[error.code].status, messagesError(response, error), headers);
}

/** An error in the shape of the Messages API, in an HTTP answer and in a stream alike. */
export function messagesError(
  response: ServerResponse,
  { code, message }: WireError,
): { readonly type: "error"; readonly error: object; readonly request_id: string } {
  const error = { type: errorType(code), message, details: { error_code: code } };
  return { type: "error", error, request_id: requestIdHeader(response)["request-id"] };
}

/** The header in which Anthropic's SDKs look for the id of the request. */
export function requestIdHeader(response: ServerResponse): { readonly "request-id": string } {
  return { "request-id": String(response.getHeader("x-request-id")) };
}

const types: Readonly<Record<number, string>> = {
  401: "authentication_error",
  403: "permission_error",
  404: "not_found_error",
  409: "conflict_error",
  429: "rate_limit_error",
  504: "timeout_error",
};

function errorType(code: ErrorCode): string {
  if (code === "upstream_overloaded") return "overloaded_error";
  const { status } = errorStatus[code];
  return types[status] ?? (status < 500 ? "invalid_request_error" : "api_error");
}
