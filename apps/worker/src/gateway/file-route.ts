import type { IncomingMessage, ServerResponse } from "node:http";
import { pipeline } from "node:stream/promises";
import type { FileStore } from "../files/file-store.ts";

const PATH = /^\/files\/(?<id>[^/]+)$/;

/**
 * A file that an agent of the workspace attached: `GET /files/:id`. Resolves with whether the request is for one, once
 * it is answered or nobody reads the answer any more. Rejects with `file_not_found`, and where the file cannot be read
 * to its end. Whoever reads nothing of it for `unreadMs` is cut off.
 */
export async function answerWithFile(
  files: FileStore,
  { method, pathname }: { readonly method: IncomingMessage["method"]; readonly pathname: string },
  response: ServerResponse,
  unreadMs: number,
): Promise<boolean> {
  const id = PATH.exec(pathname)?.groups?.["id"];
  if (id === undefined || method !== "GET") return false;
  const { name, mediaType, bytes, keptAt, handle } = await files.open(id);
  if (response.destroyed) {
    await handle.close();
    return true;
  }
  response.writeHead(200, {
    "content-type": mediaType,
    "content-length": bytes,
    "x-file-name": encodeURIComponent(name),
    "last-modified": new Date(keptAt).toUTCString(),
  });
  response.setTimeout(unreadMs, () => response.destroy());
  try {
    await pipeline(handle.createReadStream(), response);
  } catch (error) {
    if (!hasLeft(error)) throw error;
  }
  return true;
}

function hasLeft(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "ERR_STREAM_PREMATURE_CLOSE";
}
