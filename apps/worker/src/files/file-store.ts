import { mkdir, open, rm, rmdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Limits } from "@synthesis/config";
import { abortable, fileNotFound, type FileEntry, type Logger } from "@synthesis/kit";
import { FileId, WireFailure } from "@synthesis/protocol";
import { nanoid } from "nanoid";
import { causeOf } from "./cause-of.ts";
import type { FileContent } from "./file-content.ts";
import { readEntries } from "./file-entries.ts";
import { filesToGo, type SparableFile } from "./files-to-go.ts";
import { openKept, type KeptFile } from "./kept-file.ts";

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

/** What each file costs beside its content: many small ones have a bound too. */
const ENTRY_BYTES = 8 * 1024;
/** The group of a file that has none, as `dirname` has it. */
const NO_GROUP = ".";
const RETRY_AFTER_MS = 5_000;

/**
 * Files of a workspace, each in a folder that is named by its id. The id of what an agent attached is the permission to
 * read it: it is told to nobody but the client, and stands in no log.
 */
export class FileStore {
  readonly #options: FileStoreOptions;
  /** By id, the oldest first. */
  readonly #entries = new Map<string, SparableFile>();
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
   * Keeps copies of all these, for which others make room ({@link filesToGo}), and returns their ids, which are their
   * places below the store's folder: in a folder of their `group`, where there is one; those make room for none before
   * the signal aborts. Rejects with `invalid_request` where they are too large, with `worker_unavailable` where they are
   * that beside what cannot go now, with the signal's reason, and with what the file system throws; then none is kept.
   */
  async keepAll(files: readonly NewFile[], signal: AbortSignal, group = NO_GROUP): Promise<string[]> {
    await abortable(this.#isReady, signal);
    const { limits } = this.#options;
    const bytes = files.reduce((sum, { content }) => sum + content.bytes + ENTRY_BYTES, 0);
    if (bytes > limits.filesBytes) throw tooLarge(limits);
    const kept: string[] = [];
    this.#arrivingBytes += bytes;
    try {
      await this.#makeRoom();
      for (const file of files) {
        signal.throwIfAborted();
        const id = join(group, `file-${nanoid(32)}`);
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
    const neededTill = group === NO_GROUP ? undefined : signal;
    for (const [place, id] of kept.entries())
      this.#add(id, { bytes: files[place]?.content.bytes ?? 0, keptAt }, neededTill);
    return kept;
  }

  /** Removes these of what is kept. */
  async remove(ids: readonly string[]): Promise<void> {
    await Promise.all(ids.map((id) => this.#remove(id)));
  }

  /** Removes what is kept of a group. */
  async removeGroup(name: string): Promise<void> {
    await this.#isReady;
    const ofIt = [...this.#entries].filter(([, { group }]) => group === name);
    await this.remove(ofIt.map(([id]) => id));
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
      for (const [id, entry] of await readKept(folder, log)) this.#add(id, entry, undefined);
      this.tidy();
      await this.#makeRoom(); // the limit may be a lower one now
    } catch (error) {
      log.error("files.not_summed_up", { cause: causeOf(error) });
    }
  }

  #add(id: string, { bytes: contentBytes, keptAt }: FileEntry, neededTill: AbortSignal | undefined): void {
    const bytes = contentBytes + ENTRY_BYTES;
    this.#entries.set(id, { bytes, keptAt, group: dirname(id), neededTill });
    this.#keptBytes += bytes;
  }

  /** What is to go is settled at once: what comes to be kept while it is removed stays. Rejects with `worker_unavailable`. */
  async #makeRoom(): Promise<void> {
    const { limits } = this.#options;
    const going = filesToGo(this.#entries, this.#keptBytes + this.#arrivingBytes - limits.filesBytes);
    if (going === undefined) throw tooMuchAtOnce(limits);
    await this.remove(going);
  }

  async #remove(id: string): Promise<void> {
    const entry = this.#entries.get(id);
    if (entry === undefined) return;
    this.#entries.delete(id);
    this.#keptBytes -= entry.bytes;
    await this.#delete(id);
  }

  /** With the folder of its group, where it was the last. Never rejects: what cannot be removed the next generation counts again. */
  async #delete(id: string): Promise<void> {
    const { folder, log } = this.#options;
    try {
      await rm(join(folder, id), { recursive: true, force: true });
      if (dirname(id) !== NO_GROUP) await rmdir(join(folder, dirname(id))).catch(ignoreInUse);
    } catch (error) {
      log.error("files.not_removed", { cause: causeOf(error) });
    }
  }
}

/** Something lies in it, or it has gone already. */
function ignoreInUse(error: unknown): void {
  if (!["ENOTEMPTY", "EEXIST", "ENOENT"].includes(causeOf(error))) throw error;
}

function tooLarge({ filesBytes }: Pick<Limits, "filesBytes">): WireFailure {
  const message = `that is more than all files of the workspace may be: ${filesBytes} bytes (limits.filesBytes)`;
  return new WireFailure("invalid_request", message);
}

function tooMuchAtOnce({ filesBytes }: Pick<Limits, "filesBytes">): WireFailure {
  const message = `there is no room beside what is being kept, or worked with, at the same time: ${filesBytes} bytes (limits.filesBytes); try it again`;
  return new WireFailure("worker_unavailable", message, { retryAfterMs: RETRY_AFTER_MS });
}
