import { constants } from "node:fs";
import { lstat, mkdir, open, readdir, rm, type FileHandle } from "node:fs/promises";
import { join } from "node:path";
import type { Limits } from "@synthesis/config";
import { abortable, fileNotFound, type Logger } from "@synthesis/kit";
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
  /** What earlier generations kept there; default: {@link readEntries}, of a store without groups. */
  readonly readKept?: typeof readEntries;
}

/** What is to be kept, and its name: one that a file system takes. */
export interface NewFile {
  readonly name: string;
  readonly content: FileContent;
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
 * Files of a workspace, each in a folder that is named by its id. The id of what an agent attached is the permission to
 * read it: it is told to nobody but the client, and stands in no log.
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

  /** Takes up what earlier generations kept; only what is to be kept, or removed, waits for it. */
  start(): void {
    this.#isReady = this.#sumUp();
  }

  /** Keeps a copy and returns its id; see {@link keepAll}. */
  async keep(name: string, content: FileContent, signal: AbortSignal): Promise<string> {
    const [id = ""] = await this.keepAll([{ name, content }], signal);
    return id;
  }

  /**
   * Keeps copies of all these, for which the oldest make room, and returns their ids, which are their places below the
   * store's folder: in a folder of their `group`, where there is one. Rejects with `invalid_request` where they are too
   * large, also beside what is being kept at the same time, with the signal's reason, and with what the file system
   * throws; then none is kept.
   */
  async keepAll(files: readonly NewFile[], signal: AbortSignal, group?: string): Promise<string[]> {
    await abortable(this.#isReady, signal);
    const { limits } = this.#options;
    const bytes = files.reduce((sum, { content }) => sum + content.bytes + ENTRY_BYTES, 0);
    if (bytes > limits.filesBytes) throw tooLarge(limits);
    if (this.#arrivingBytes + bytes > limits.filesBytes) throw tooMuchAtOnce(limits);
    const kept: string[] = [];
    this.#arrivingBytes += bytes;
    try {
      await this.#makeRoom();
      for (const file of files) {
        signal.throwIfAborted();
        const id = [...(group === undefined ? [] : [group]), `file-${nanoid(32)}`].join("/");
        kept.push(id);
        await this.#write(id, file, signal);
      }
    } catch (error) {
      await Promise.all(kept.map((id) => this.#delete(id)));
      throw error;
    } finally {
      this.#arrivingBytes -= bytes;
    }
    const keptAt = Date.now();
    for (const [place, id] of kept.entries())
      this.#add(id, { bytes: (files[place]?.content.bytes ?? 0) + ENTRY_BYTES, keptAt });
    return kept;
  }

  /** Removes what is kept of a group. */
  async removeGroup(group: string): Promise<void> {
    await this.#isReady;
    const ids = [...this.#entries.keys()].filter((id) => id.startsWith(`${group}/`));
    await Promise.all(ids.map((id) => this.#remove(id)));
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

  async #write(id: string, { name, content }: NewFile, signal: AbortSignal): Promise<void> {
    const folder = join(this.#options.folder, id);
    await mkdir(folder, { recursive: true, mode: 0o700 });
    await using file = await open(join(folder, name), "wx", 0o600);
    for await (const chunk of content.chunks(signal)) await file.appendFile(chunk);
  }

  #isTooOld({ keptAt }: { readonly keptAt: number }): boolean {
    return keptAt < Date.now() - this.#options.limits.filesKeptMs;
  }

  async #sumUp(): Promise<void> {
    const { folder, log, readKept = readEntries } = this.#options;
    try {
      for (const [id, { bytes, keptAt }] of await readKept(folder, log)) {
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

function tooLarge({ filesBytes }: Pick<Limits, "filesBytes">): WireFailure {
  const message = `that is more than all files of the workspace may be: ${filesBytes} bytes (limits.filesBytes)`;
  return new WireFailure("invalid_request", message);
}

function tooMuchAtOnce({ filesBytes }: Pick<Limits, "filesBytes">): WireFailure {
  const message = `there is no room beside what is being kept at the same time: ${filesBytes} bytes (limits.filesBytes); try it again`;
  return new WireFailure("invalid_request", message);
}
