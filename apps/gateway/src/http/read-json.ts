import { isUtf8 } from "node:buffer";
import type { IncomingMessage } from "node:http";
import { WireFailure } from "@synthesis/protocol";

/** Whether a request brings a body at all. */
function hasBody({ headers }: IncomingMessage): boolean {
  return headers["transfer-encoding"] !== undefined || Number(headers["content-length"] ?? 0) > 0;
}

/**
 * Throws `unsupported_media_type` or `body_too_large` for a body that no route takes: checked on every
 * request, before a byte of it is read. Only `application/json` makes a browser ask first (CORS preflight).
 */
export function checkBody(request: IncomingMessage, maxBytes: number): void {
  if (!hasBody(request)) return;
  const {
    "content-type": type = "",
    "content-encoding": encoding = "identity",
    "content-length": length,
  } = request.headers;
  if (type.split(";")[0]?.trim().toLowerCase() !== "application/json") {
    throw new WireFailure("unsupported_media_type", 'send the body as "Content-Type: application/json"');
  }
  if (encoding !== "identity")
    throw new WireFailure("unsupported_media_type", "send the body without Content-Encoding");
  if (Number(length ?? 0) > maxBytes) throw tooLarge(maxBytes);
}

/** Reads the body till it is whole, and parses it; with the bytes as they came. Rejects with `body_too_large` or `invalid_json`. */
export async function readJson(
  request: IncomingMessage,
  maxBytes: number,
): Promise<{ readonly value: unknown; readonly bytes: Uint8Array }> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > maxBytes) throw tooLarge(maxBytes);
    chunks.push(chunk);
  }
  try {
    const body = Buffer.concat(chunks);
    if (!isUtf8(body)) throw new TypeError("no UTF-8");
    return { value: JSON.parse(body.toString("utf8")), bytes: body };
  } catch (cause) {
    throw new WireFailure("invalid_json", "the body is not JSON in UTF-8", { cause });
  }
}

function tooLarge(maxBytes: number): WireFailure {
  const message = `the body is larger than ${maxBytes} bytes (limits.bodyBytes): send less of the history, or fewer or smaller files, or raise the limit`;
  return new WireFailure("body_too_large", message);
}
