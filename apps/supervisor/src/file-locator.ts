import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { lstat, readdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Limits } from "@synthesis/config";
import type { Logger } from "@synthesis/kit";
import { FileId, WireFailure } from "@synthesis/protocol";
import { workspaceHash } from "./workspace-hash.ts";

export interface FileLocatorOptions {
  readonly stateDir: string;
  readonly limits: Pick<Limits, "filesKeptMs">;
  readonly log: Logger;
}

/**
 * Which workspace has a file that an agent attached. It looks on disk, so that whoever tries ids starts no worker and
 * asks none, and a file is found whose worker is at rest.
 */
export class FileLocator {
  readonly #filesDir: string;
  /** For each workspace that had a worker, by its hash: its folder. Those below `roots` are named nowhere else. */
  readonly #foldersDir: string;
  readonly #filesKeptMs: number;
  readonly #log: Logger;

  constructor({ stateDir, limits, log }: FileLocatorOptions) {
    this.#filesDir = join(stateDir, "files");
    this.#foldersDir = join(stateDir, "workspaces");
    this.#filesKeptMs = limits.filesKeptMs;
    this.#log = log;
  }

  /** Sees that the files of this workspace are found, also by a later supervisor. */
  remember(path: string): void {
    const record = join(this.#foldersDir, workspaceHash(path));
    try {
      mkdirSync(this.#foldersDir, { recursive: true, mode: 0o700 });
      if (readIfThere(record) === path) return;
      const draft = `${record}.new`;
      writeFileSync(draft, path, { mode: 0o600 });
      renameSync(draft, record); // a record is whole, or not there
    } catch (error) {
      this.#log.error("files.folder_not_kept", { path, error: String(error) });
    }
  }

  /** The folder of the workspace that has the file. Rejects with `file_not_found`, also where it is too old. */
  async locate(file: string): Promise<string> {
    for (const hash of await this.#namesIn(this.#filesDir)) {
      const keptAt = await this.#keptAt(hash, file);
      if (keptAt === undefined || this.#isTooOld(keptAt)) continue;
      const path = await readFile(join(this.#foldersDir, hash), "utf8").catch((error: unknown) =>
        String(error),
      );
      if (workspaceHash(path) === hash) return path;
      this.#log.error("files.folder_not_known", { hash });
    }
    throw new WireFailure("file_not_found", "no workspace has a file with this id, or none any more");
  }

  /**
   * Removes what is older than `limits.filesKeptMs`, of every workspace: a worker does so too, but not every workspace
   * has one again. Never rejects.
   */
  async tidy(): Promise<void> {
    for (const hash of await this.#namesIn(this.#filesDir)) {
      for (const name of await this.#namesIn(join(this.#filesDir, hash))) {
        if (FileId.safeParse(name).success) await this.#removeIfTooOld(hash, name);
      }
    }
  }

  async #removeIfTooOld(hash: string, file: string): Promise<void> {
    const keptAt = await this.#keptAt(hash, file);
    if (keptAt === undefined || !this.#isTooOld(keptAt)) return;
    try {
      await rm(join(this.#filesDir, hash, file), { recursive: true, force: true });
    } catch (error) {
      this.#report("files.not_removed", hash, error);
    }
  }

  #isTooOld(keptAt: number): boolean {
    return keptAt < Date.now() - this.#filesKeptMs;
  }

  /** Epoch ms, as the worker counts: of the content, or of the folder where it has none. Undefined: there is no folder. */
  async #keptAt(hash: string, file: string): Promise<number | undefined> {
    const folder = join(this.#filesDir, hash, file);
    try {
      const own = await lstat(folder);
      if (!own.isDirectory()) return undefined;
      const [name] = await readdir(folder);
      return (name === undefined ? own : await lstat(join(folder, name))).mtimeMs;
    } catch (error) {
      this.#report("files.not_read", hash, error);
      return undefined;
    }
  }

  async #namesIn(folder: string): Promise<readonly string[]> {
    try {
      return await readdir(folder);
    } catch (error) {
      this.#report("files.not_read", "", error);
      return [];
    }
  }

  /** Without the error's words: they have the path, and that has the id. */
  #report(event: string, hash: string, error: unknown): void {
    const code = error instanceof Error && "code" in error ? String(error.code) : "";
    if (code !== "ENOENT" && code !== "ENOTDIR") this.#log.error(event, { hash, code });
  }
}

function readIfThere(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return undefined;
  }
}
