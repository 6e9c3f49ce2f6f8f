import { randomBytes } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";

/** A file as the worker's head names it, and how its content comes. */
export interface FakeFile {
  readonly head: Readonly<Record<string, string | number>>;
  readonly write: (response: ServerResponse) => void;
}

/** An id that nobody has. */
export function fileId(): string {
  return `file-${randomBytes(24).toString("base64url")}`;
}

export function fakeFile(name: string, type: string, content: string | Uint8Array): FakeFile {
  return {
    head: {
      "content-type": type,
      "content-length": Buffer.byteLength(content),
      "x-file-name": encodeURIComponent(name),
      "last-modified": "Sun, 22 Nov 2026 12:00:00 GMT",
    },
    write: (response) => response.end(content),
  };
}

/** The attached files of a worker, for its HTTP API. */
export class FakeFiles {
  /** Every path that was asked for. */
  readonly asked: string[] = [];
  readonly #files = new Map<string, FakeFile>();

  add(file: FakeFile): string {
    const id = fileId();
    this.#files.set(`/files/${id}`, file);
    return id;
  }

  readonly answer = ({ url = "" }: IncomingMessage, response: ServerResponse): void => {
    this.asked.push(url);
    const file = this.#files.get(url);
    if (file === undefined) {
      const error = { code: "file_not_found", message: "there is no such file here" };
      return void response.writeHead(404).end(JSON.stringify({ error }));
    }
    response.writeHead(200, file.head).flushHeaders();
    file.write(response);
  };
}
