import { constants } from "node:fs";
import { open, realpath, stat, type FileHandle } from "node:fs/promises";
import { resolve } from "node:path";
import { isHidden, pathBelow } from "@synthesis/kit";
import { WireFailure, type Attachment } from "@synthesis/protocol";

/** What is read at once, in bytes. */
const CHUNK_BYTES = 256 * 1024;
/** A link that was put there meanwhile is refused, and a pipe does not make anybody wait. */
const FLAGS = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

/** The content of a file that an agent attaches, at the moment of that: what is added later is not part of it. */
export interface FileContent extends AsyncDisposable {
  readonly bytes: number;
  /** Rejects with the signal's reason when it aborts, and with what the file system throws. */
  chunks(signal: AbortSignal): AsyncIterable<Buffer>;
}

/**
 * Of a file outside `workspace`, a hidden one (`.env`, what lies in `.git`), or what is no regular one, rejects with
 * `invalid_request`, which says why.
 */
export async function openContent(attachment: Attachment, workspace: string): Promise<FileContent> {
  if ("data" in attachment) return contentOfData(attachment.data as string);
  const { path } = attachment;
  const root = await realpath(workspace);
  const file = await realpath(resolve(root, path)).catch(() => undefined);
  if (file === undefined) throw refused(`there is no file "${path}"`);
  const below = pathBelow(root, file);
  if (below === undefined) throw refused(`"${path}" is not in the workspace: copy it there first`);
  if (isHidden(below))
    throw refused(`"${path}" is hidden, and hidden files often hold secrets: they are not attached`);
  return contentOfFile(file, path);
}

/** `data` is base64. */
export function contentOfData(data: string): FileContent {
  const content = Buffer.from(data, "base64");
  return {
    bytes: content.byteLength,
    async *chunks() {
      yield content;
    },
    async [Symbol.asyncDispose]() {},
  };
}

/** `file` is the real path of what the agent calls `path`. */
async function contentOfFile(file: string, path: string): Promise<FileContent> {
  const handle = await open(file, FLAGS).catch(() => undefined);
  if (handle === undefined) throw refused(`"${path}" cannot be read`);
  try {
    const opened = await handle.stat();
    if (!opened.isFile()) throw refused(`"${path}" is not a regular file`);
    const isMoved = (await realpath(file)) !== file || (await stat(file)).ino !== opened.ino;
    if (isMoved) throw refused(`"${path}" was replaced while it was read`);
    return {
      bytes: opened.size,
      chunks: (signal) => chunksOf(handle, opened.size, signal),
      [Symbol.asyncDispose]: () => handle.close(),
    };
  } catch (error) {
    await handle.close();
    throw error;
  }
}

async function* chunksOf(handle: FileHandle, bytes: number, signal: AbortSignal): AsyncIterable<Buffer> {
  for (let left = bytes; left > 0;) {
    signal.throwIfAborted();
    const { bytesRead, buffer } = await handle.read(Buffer.alloc(Math.min(left, CHUNK_BYTES)));
    if (bytesRead === 0) return; // it was cut meanwhile
    left -= bytesRead;
    yield buffer.subarray(0, bytesRead);
  }
}

function refused(message: string): WireFailure {
  return new WireFailure("invalid_request", message);
}
