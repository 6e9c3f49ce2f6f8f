import { dirname, join, relative } from "node:path";
import type { Limits } from "@synthesis/config";
import type { Logger } from "@synthesis/kit";
import { WireFailure, type ReceivedFile } from "@synthesis/protocol";
import { shortage } from "../process/shortage.ts";
import { causeOf } from "./cause-of.ts";
import { contentOfData } from "./file-content.ts";
import { namesOf, type FilePart } from "./file-part.ts";
import type { FileStore, NewFile } from "./file-store.ts";

export interface InboxOptions {
  readonly store: FileStore;
  /** The store's folder. */
  readonly root: string;
  /** The session's folder there. */
  readonly group: string;
  /** How long its files are kept at most: till its session ends, or the process that opens them. */
  readonly keptFor: "session" | "process";
  readonly limits: Pick<Limits, "fileBytes" | "turnFiles">;
  readonly log: Logger;
}

const RETRY_AFTER_MS = 5_000;

/** Where one session's agent finds what its client sent. */
export class Inbox {
  readonly #options: InboxOptions;

  constructor(options: InboxOptions) {
    this.#options = options;
  }

  /** All of it lies below this folder, and nothing else does. */
  get folder(): string {
    return join(this.#options.root, this.#options.group);
  }

  /**
   * Writes the files of one message, in their order: all, or none; they stay at least till the signal aborts. Rejects
   * with a `WireFailure` that names what cannot be kept and what helps, or with the signal's reason.
   */
  async keep(parts: readonly FilePart[], signal: AbortSignal): Promise<ReceivedFile[]> {
    const { store, root, group } = this.#options;
    this.#checkCount(parts.length); // before anything is done for each of them
    const names = namesOf(parts);
    const files = parts.map(({ data }, place) => ({
      name: names[place] ?? "",
      content: contentOfData(data),
    }));
    this.#checkSizes(files);
    const ids = await store.keepAll(files, signal, group).catch((error: unknown) => {
      signal.throwIfAborted();
      throw this.#failure(error);
    });
    return files.map(({ name, content }, place) => ({
      name,
      media_type: parts[place]?.mediaType ?? "",
      path: join(root, ids[place] ?? "", name),
      bytes: content.bytes,
    }));
  }

  /** Removes files of a message that nobody was told of. */
  async remove(files: readonly ReceivedFile[]): Promise<void> {
    const { store, root } = this.#options;
    await store.remove(files.map(({ path }) => relative(root, dirname(path))));
  }

  /** The process that opens its files has ended. */
  async release(): Promise<void> {
    const { store, group, keptFor } = this.#options;
    if (keptFor === "process") await store.removeGroup(group);
  }

  #checkCount(count: number): void {
    const { turnFiles } = this.#options.limits;
    if (count <= turnFiles) return;
    const message = `the message has ${count} images and files, this agent takes ${turnFiles} at once (limits.turnFiles): send fewer`;
    throw new WireFailure("invalid_request", message);
  }

  #checkSizes(files: readonly NewFile[]): void {
    const { fileBytes } = this.#options.limits;
    const large = files.find(({ content }) => content.bytes > fileBytes);
    if (large === undefined) return;
    const message = `the file "${large.name}" of the message is larger than ${fileBytes} bytes (limits.fileBytes): send a smaller one`;
    throw new WireFailure("invalid_request", message);
  }

  #failure(error: unknown): WireFailure {
    if (error instanceof WireFailure)
      return WireFailure.from({
        ...error.error,
        message: `the files of the message are not taken: ${error.message}`,
      });
    const cause = causeOf(error);
    this.#options.log.error("files.not_received", { cause });
    const what = "the files of the message could not be kept";
    const short = shortage(what, cause);
    if (short !== undefined) return WireFailure.from(short);
    const message = `${what} (${cause}): free disk space, or see that Synthesis may write its state folder, then try again`;
    return new WireFailure("worker_unavailable", message, { retryAfterMs: RETRY_AFTER_MS });
  }
}
