import { constants } from "node:fs";
import { lstat, mkdir, open, readdir, rm, type FileHandle } from "node:fs/promises";
import { join } from "node:path";
import type { Limits } from "@synthesis/config";
import { abortable, type Logger } from "@synthesis/kit";
import { FileId, WireFailure } from "@synthesis/protocol";
import { nanoid } from "nanoid";
import { causeOf } from "./cause-of.ts";
import type { FileContent } from "./file-content.ts";
import { readEntries, type FileEntry } from "./file-entries.ts";
import { mediaTypeOf } from "./media-type.ts";

export interface FileStoreOptions {
  readonly folder: string;
  readonly limits: Pick<Limits, "filesBytes" | "filesKeptMs">;
  readonly log: Logger;
}

/** A kept file, opened to be read: whoever has it closes the handle. */
export interface KeptFile {
  readonly name: string;
  readonly mediaType: string;
  readonly bytes: number;
  /** Epoch ms. */
  readonly keptAt: number;
  readonly handle: FileHandle;
}

/** What each file costs beside its content: many small ones have a bound too. */
const ENTRY_BYTES = 8 * 1024;
const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK } = constants;

/**
 * The files that the agents of a workspace attached, each in a folder that is named by its id. An id is the permission
 * to read the file: it is told to nobody but the client, and stands in no log.
 */
export class FileStore {
  readonly #options: FileStoreOptions;
  /** By id, the oldest first. */
  readonly #entries = new Map<string, FileEntry>();
  /** Of these, and of what is being kept. */
  #bytes = 0;
  #isReady: Promise<void> = Promise.resolve();

  constructor(options: FileStoreOptions) {
    this.#options = options;
  }

  /** Takes up what earlier generations kept; only {@link keep} waits for it. */
  start(): void {
    this.#isReady = this.#sumUp();
  }

  /**
   * Keeps a copy, for which the oldest make room, and returns its id. Rejects with `invalid_request` where it is too
   * large, with the signal's reason, and with what the file system throws; then nothing is kept.
   */
  async keep(name: string, content: FileContent, signal: AbortSignal): Promise<string> {
    await abortable(this.#isReady, signal);
    const { folder, limits } = this.#options;
    const bytes = content.bytes + ENTRY_BYTES;
    if (bytes > limits.filesBytes) throw tooLarge(limits);
    const id = `file-${nanoid(32)}`;
    this.#bytes += bytes;
    try {
      await this.#makeRoom();
      await mkdir(join(folder, id), { recursive: true, mode: 0o700 });
      await using file = await open(join(folder, id, name), "wx", 0o600);
      for await (const chunk of content.chunks(signal)) await file.appendFile(chunk);
    } catch (error) {
      this.#bytes -= bytes;
      await this.#delete(id);
      throw error;
    }
    this.#entries.set(id, { bytes, keptAt: Date.now() });
    await this.#makeRoom(); // what was kept at the same time could not make any
    return id;
  }

  /** Opens a file. Rejects with `file_not_found`. */
  async open(id: string): Promise<KeptFile> {
    if (!FileId.safeParse(id).success) throw fileNotFound();
    try {
      return await openKept(join(this.#options.folder, id));
    } catch (error) {
      const cause = causeOf(error);
      if (cause !== "ENOENT") this.#options.log.warn("files.unreadable", { cause });
      throw fileNotFound();
    }
  }

  /** Removes what is older than `limits.filesKeptMs`. */
  tidy(): void {
    const before = Date.now() - this.#options.limits.filesKeptMs;
    for (const [id, { keptAt }] of this.#entries) {
      if (keptAt >= before) return;
      void this.#remove(id);
    }
  }

  async #sumUp(): Promise<void> {
    const { folder, log } = this.#options;
    try {
      for (const [id, { bytes, keptAt }] of await readEntries(folder, log)) {
        this.#entries.set(id, { bytes: bytes + ENTRY_BYTES, keptAt });
        this.#bytes += bytes + ENTRY_BYTES;
      }
      await this.#makeRoom(); // the limit may be a lower one now
    } catch (error) {
      log.error("files.not_summed_up", { cause: causeOf(error) });
    }
  }

  async #makeRoom(): Promise<void> {
    for (const id of this.#entries.keys()) {
      if (this.#bytes <= this.#options.limits.filesBytes) return;
      await this.#remove(id);
    }
  }

  async #remove(id: string): Promise<void> {
    const entry = this.#entries.get(id);
    if (entry === undefined) return;
    this.#entries.delete(id);
    this.#bytes -= entry.bytes;
    await this.#delete(id);
  }

  /** Never rejects: what cannot be removed is counted again by the next generation. */
  async #delete(id: string): Promise<void> {
    try {
      await rm(join(this.#options.folder, id), { recursive: true, force: true });
    } catch (error) {
      this.#options.log.error("files.not_removed", { cause: causeOf(error) });
    }
  }
}

/** An entry that is not one file in a folder is damaged: links and pipes among them are not followed. */
async function openKept(folder: string): Promise<KeptFile> {
  const names = (await lstat(folder)).isDirectory() ? await readdir(folder) : [];
  const [name] = names;
  if (name === undefined || names.length > 1) throw fileNotFound();
  const handle = await open(join(folder, name), O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  try {
    const found = await handle.stat();
    if (!found.isFile()) throw fileNotFound();
    return { name, mediaType: mediaTypeOf(name), bytes: found.size, keptAt: found.mtimeMs, handle };
  } catch (error) {
    await handle.close();
    throw error;
  }
}

function fileNotFound(): WireFailure {
  const message = "there is no such file, or it is not kept any more: ask the agent for it again";
  return new WireFailure("file_not_found", message);
}

function tooLarge({ filesBytes }: Pick<Limits, "filesBytes">): WireFailure {
  const message = `it is larger than all files of the workspace may be: ${filesBytes} bytes (limits.filesBytes)`;
  return new WireFailure("invalid_request", message);
}
