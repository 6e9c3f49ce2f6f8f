import * as z from "zod";

const RequestId = z.union([z.string(), z.number()]);
export type RequestId = z.infer<typeof RequestId>;

/** A request, or without an `id` a notification. Answers to requests of ours are none: there are no such requests. */
const JsonRpcMessage = z.looseObject({
  id: RequestId.optional(),
  method: z.string(),
  params: z.record(z.string(), z.unknown()).default({}),
});
export type JsonRpcMessage = z.infer<typeof JsonRpcMessage>;

/** The error codes of JSON-RPC 2.0 that are used here. */
export const JsonRpcCode = {
  parseError: -32700,
  invalidRequest: -32600,
  methodNotFound: -32601,
  invalidParams: -32602,
  internalError: -32603,
} as const;
export type JsonRpcCode = (typeof JsonRpcCode)[keyof typeof JsonRpcCode];

/** Why a request is not answered by a result. */
export class JsonRpcError extends Error {
  override readonly name = "JsonRpcError";
  readonly code: JsonRpcCode;

  constructor(code: JsonRpcCode, message: string) {
    super(message);
    this.code = code;
  }
}

/** One line as a message. Throws a {@link JsonRpcError}. */
export function parseMessage(line: string): JsonRpcMessage {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    throw new JsonRpcError(JsonRpcCode.parseError, "not JSON");
  }
  const parsed = JsonRpcMessage.safeParse(value);
  if (!parsed.success) throw new JsonRpcError(JsonRpcCode.invalidRequest, z.prettifyError(parsed.error));
  return parsed.data;
}
