import type { IncomingMessage, ServerResponse } from "node:http";
import { pipeline } from "node:stream/promises";
import { rangeHead } from "@synthesis/kit";
import type { FileStore } from "../files/file-store.ts";
import { askedRange } from "./asked-range.ts";

const PATH = /^\/files\/(?<id>[^/]+)$/;

/**
 * A file that an agent of the workspace attached, or a part of it: `GET /files/:id`. Resolves with whether the request is
 * for one, once it is answered or nobody reads the answer any more. Rejects with `file_not_found`, and where the file
 * cannot be read to its end. Whoever reads nothing of it for `unreadMs` is cut off.
 */
export async function answerWithFile(
  files: FileStore,
  { method, headers, pathname }: Pick<IncomingMessage, "method" | "headers"> & { readonly pathname: string },
  response: ServerResponse,
  unreadMs: number,
): Promise<boolean> {
  const id = PATH.exec(pathname)?.groups?.["id"];
  if (id === undefined || method !== "GET") return false;
  const { name, mediaType, bytes, keptAt, handle } = await files.open(id);
  const lastModified = new Date(keptAt).toUTCString();
  const range = askedRange(headers, { bytes, lastModified });
  if (response.destroyed || range === "none") await handle.close();
  if (response.destroyed) return true;
  const head = rangeHead(range, bytes);
  response.writeHead(head.status, {
    ...head.headers,
    "content-type": mediaType,
    "x-file-name": encodeURIComponent(name),
    "last-modified": lastModified,
  });
  if (range === "none") {
    response.end();
    return true;
  }
  response.setTimeout(unreadMs, () => response.destroy());
  const ends = range === "whole" ? {} : { start: range.first, end: range.last };
  try {
    await pipeline(handle.createReadStream(ends), response);
  } catch (error) {
    if (!hasLeft(error)) throw error;
  }
  return true;
}

function hasLeft(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "ERR_STREAM_PREMATURE_CLOSE";
}
