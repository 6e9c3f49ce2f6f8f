const types: Readonly<Record<number, string>> = {
  400: "invalid_request_error",
  401: "authentication_error",
  403: "permission_error",
  404: "not_found_error",
  413: "request_too_large",
  429: "rate_limit_error",
  529: "overloaded_error",
};

/** The body of an error answer of the Messages API. */
export interface AnthropicError {
  readonly type: "error";
  readonly error: { readonly type: string; readonly message: string };
}

/** The error that the Messages API gives with an HTTP status; `api_error` for those it has no type for. */
export function anthropicError(status: number, message = `standin error ${status}`): AnthropicError {
  return { type: "error", error: { type: types[status] ?? "api_error", message } };
}
