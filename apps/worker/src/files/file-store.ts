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
  /** Of these. */
  #keptBytes = 0;
  /** Of what is being kept: its room is its own from the start. */
  #arrivingBytes = 0;
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
   * large, also beside what is being kept at the same time, with the signal's reason, and with what the file system
   * throws; then nothing is kept.
   */
  async keep(name: string, content: FileContent, signal: AbortSignal): Promise<string> {
    await abortable(this.#isReady, signal);
    const { folder, limits } = this.#options;
    const bytes = content.bytes + ENTRY_BYTES;
    if (bytes > limits.filesBytes) throw tooLarge(limits);
    if (this.#arrivingBytes + bytes > limits.filesBytes) throw tooMuchAtOnce(limits);
    const id = `file-${nanoid(32)}`;
    this.#arrivingBytes += bytes;
    try {
      await this.#makeRoom();
      await mkdir(join(folder, id), { recursive: true, mode: 0o700 });
      await using file = await open(join(folder, id, name), "wx", 0o600);
      for await (const chunk of content.chunks(signal)) await file.appendFile(chunk);
    } catch (error) {
      await this.#delete(id);
      throw error;
    } finally {
      this.#arrivingBytes -= bytes;
    }
    this.#add(id, { bytes, keptAt: Date.now() });
    return id;
  }

  /** Opens a file. Rejects with `file_not_found`, also where it is older than `limits.filesKeptMs`. */
  async open(id: string): Promise<KeptFile> {
    const file = await this.#open(id);
    if (!this.#isTooOld(file)) return file;
    await file.handle.close();
    throw fileNotFound();
  }

  /** Removes what is older than `limits.filesKeptMs`. */
  tidy(): void {
    for (const [id, entry] of this.#entries) {
      if (!this.#isTooOld(entry)) return;
      void this.#remove(id);
    }
  }

  async #open(id: string): Promise<KeptFile> {
    if (!FileId.safeParse(id).success) throw fileNotFound();
    try {
      return await openKept(join(this.#options.folder, id));
    } catch (error) {
      const cause = causeOf(error);
      if (cause !== "ENOENT") this.#options.log.warn("files.unreadable", { cause });
      throw fileNotFound();
    }
  }

  #isTooOld({ keptAt }: { readonly keptAt: number }): boolean {
    return keptAt < Date.now() - this.#options.limits.filesKeptMs;
  }

  async #sumUp(): Promise<void> {
    const { folder, log } = this.#options;
    try {
      for (const [id, { bytes, keptAt }] of await readEntries(folder, log)) {
        this.#add(id, { bytes: bytes + ENTRY_BYTES, keptAt });
      }
      this.tidy();
      await this.#makeRoom(); // the limit may be a lower one now
    } catch (error) {
      log.error("files.not_summed_up", { cause: causeOf(error) });
    }
  }

  #add(id: string, entry: FileEntry): void {
    this.#entries.set(id, entry);
    this.#keptBytes += entry.bytes;
  }

  /** What is to go is settled at once: what comes to be kept while it is removed stays. */
  async #makeRoom(): Promise<void> {
    const removals: Promise<void>[] = [];
    for (const id of this.#entries.keys()) {
      if (this.#keptBytes + this.#arrivingBytes <= this.#options.limits.filesBytes) break;
      removals.push(this.#remove(id));
    }
    await Promise.all(removals);
  }

  async #remove(id: string): Promise<void> {
    const entry = this.#entries.get(id);
    if (entry === undefined) return;
    this.#entries.delete(id);
    this.#keptBytes -= entry.bytes;
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

function tooMuchAtOnce({ filesBytes }: Pick<Limits, "filesBytes">): WireFailure {
  const message = `it has no room beside those that are being attached: ${filesBytes} bytes (limits.filesBytes); try it again`;
  return new WireFailure("invalid_request", message);
}
