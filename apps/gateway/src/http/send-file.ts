import type { IncomingMessage, ServerResponse } from "node:http";
import { pipeline } from "node:stream/promises";
import { rangeHead, type OpenedFile } from "@synthesis/kit";
import type { WireError } from "@synthesis/protocol";
import { errorBody } from "../answer/error-body.ts";
import { contentDisposition } from "./content-disposition.ts";
import { errorHeaders, respondJson } from "./respond.ts";

/** What a browser shows without running anything in it; SVG and HTML are programs. */
const shown: ReadonlySet<string> = new Set([
  "image/png",
  "image/jpeg",
  "image/gif",
  "image/webp",
  "text/plain",
]);

/**
 * Answers with a file, or the part of it that is asked for, no faster than its client reads it. Where it breaks off, or
 * nothing is sent for `silenceMs`, the connection is cut, so that nobody takes less for all of it.
 */
export async function sendFile(
  { name, mediaType, bytes, attachedAt, range, content }: OpenedFile,
  request: IncomingMessage,
  response: ServerResponse,
  silenceMs: number,
): Promise<void> {
  // Its client left, or was told that the gateway closes.
  if (response.destroyed || response.headersSent) return void content.destroy();
  const { status, headers } = rangeHead(range, bytes);
  if (range === "none") {
    content.destroy();
    const error: WireError = {
      code: "invalid_request",
      message: `the file has ${bytes} bytes: ask for some of these`,
    };
    return respondJson(response, status, errorBody(error), { ...headers, ...errorHeaders(error) });
  }
  response.writeHead(status, {
    ...headers,
    "accept-ranges": "bytes",
    "content-type": mediaType === "text/plain" ? "text/plain; charset=utf-8" : mediaType,
    "content-disposition": contentDisposition(shown.has(mediaType) ? "inline" : "attachment", name),
    "last-modified": new Date(attachedAt).toUTCString(),
    // A file never changes; its address is a secret that no shared cache is to keep.
    "cache-control": "private, max-age=86400, immutable",
    // An agent's file is nobody's page: not sniffed for one, and without scripts or an origin if it is one.
    "x-content-type-options": "nosniff",
    "content-security-policy": "sandbox; default-src 'none'",
    // A chat's page on another address shows images that are in an answer.
    "cross-origin-resource-policy": "cross-origin",
    "referrer-policy": "no-referrer",
  });
  if (request.method === "HEAD") {
    content.destroy();
    response.end();
    return;
  }
  response.setTimeout(silenceMs, () => response.destroy());
  await pipeline(content, response);
}
