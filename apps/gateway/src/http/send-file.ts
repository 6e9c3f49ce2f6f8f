import type { IncomingMessage, ServerResponse } from "node:http";
import { pipeline } from "node:stream/promises";
import type { OpenedFile } from "@synthesis/kit";
import { contentDisposition } from "./content-disposition.ts";

/** What a browser shows without running anything in it; SVG and HTML are programs. */
const shown: ReadonlySet<string> = new Set([
  "image/png",
  "image/jpeg",
  "image/gif",
  "image/webp",
  "text/plain",
]);

/**
 * Answers with a file, no faster than its client reads it. Where the file breaks off, or nothing is sent for
 * `silenceMs`, the connection is cut, so that nobody takes a part for the whole.
 */
export async function sendFile(
  { name, mediaType, bytes, attachedAt, content }: OpenedFile,
  request: IncomingMessage,
  response: ServerResponse,
  silenceMs: number,
): Promise<void> {
  // Its client left, or was told that the gateway closes.
  if (response.destroyed || response.headersSent) return void content.destroy();
  response.writeHead(200, {
    "content-type": mediaType === "text/plain" ? "text/plain; charset=utf-8" : mediaType,
    "content-length": bytes,
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
