import type { WireError } from "@synthesis/protocol";
import { errorType } from "./error-status.ts";

/** OpenAI's error envelope, in an HTTP answer and in a stream alike. */
export function errorBody(error: WireError): object {
  const { code, message } = error;
  return { error: { message, type: errorType(error), param: null, code } };
}
