import type { ServerResponse } from "node:http";
import type { WireError } from "@synthesis/protocol";
import { errorBody } from "../answer/error-body.ts";
import { errorStatus, retryAdvice } from "../answer/error-status.ts";

/** Answers with JSON. Does nothing where the client is gone. */
export function respondJson(
  response: ServerResponse,
  status: number,
  body: object,
  headers: Record<string, string> = {},
): void {
  if (response.destroyed || response.headersSent) return;
  const text = JSON.stringify(body);
  response.writeHead(status, {
    ...headers,
    "content-type": "application/json",
    "content-length": Buffer.byteLength(text),
  });
  response.end(text);
}

/** Answers with an error. */
export function respondError(response: ServerResponse, error: WireError): void {
  respondJson(response, errorStatus[error.code].status, errorBody(error), errorHeaders(error));
}

/**
 * Says whether the same request may be sent again: `Retry-After` (RFC 9110) and `x-should-retry`, which the SDKs of
 * OpenAI and Anthropic obey before they look at the status.
 */
export function errorHeaders(error: WireError): Record<string, string> {
  const { isAdvised, afterMs } = retryAdvice(error);
  return {
    "x-should-retry": String(isAdvised),
    ...(afterMs === undefined ? {} : { "retry-after": String(Math.max(1, Math.ceil(afterMs / 1000))) }),
    ...(error.code === "invalid_api_key" ? { "www-authenticate": "Bearer" } : {}),
  };
}
