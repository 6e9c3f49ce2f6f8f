import type { WireError } from "@synthesis/protocol";
import { errorStatus } from "./error-status.ts";

/** OpenAI's error envelope, in an HTTP answer and in a stream alike. */
export function errorBody({ code, message }: WireError): object {
  return { error: { message, type: errorStatus[code].type, param: null, code } };
}
