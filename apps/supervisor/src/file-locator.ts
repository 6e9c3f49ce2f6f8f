import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { lstat, readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Logger } from "@synthesis/kit";
import { WireFailure } from "@synthesis/protocol";
import { workspaceHash } from "./workspace-hash.ts";

/**
 * Which workspace has a file that an agent attached. It looks on disk, so that whoever tries ids starts no worker and
 * asks none, and a file is found whose worker is at rest.
 */
export class FileLocator {
  readonly #filesDir: string;
  /** For each workspace that had a worker, by its hash: its folder. Those below `roots` are named nowhere else. */
  readonly #foldersDir: string;
  readonly #log: Logger;

  constructor(stateDir: string, log: Logger) {
    this.#filesDir = join(stateDir, "files");
    this.#foldersDir = join(stateDir, "workspaces");
    this.#log = log;
  }

  /** Sees that the files of this workspace are found, also by a later supervisor. */
  remember(path: string): void {
    const record = join(this.#foldersDir, workspaceHash(path));
    try {
      mkdirSync(this.#foldersDir, { recursive: true, mode: 0o700 });
      if (readIfThere(record) !== path) writeFileSync(record, path, { mode: 0o600 });
    } catch (error) {
      this.#log.error("files.folder_not_kept", { path, error: String(error) });
    }
  }

  /** The folder of the workspace that has the file. Rejects with `file_not_found`. */
  async locate(file: string): Promise<string> {
    for (const hash of await this.#namesIn(this.#filesDir)) {
      if (!(await this.#hasFolder(hash, file))) continue;
      const path = await readFile(join(this.#foldersDir, hash), "utf8").catch((error: unknown) =>
        String(error),
      );
      if (workspaceHash(path) === hash) return path;
      this.#log.error("files.folder_not_known", { hash });
    }
    throw new WireFailure("file_not_found", "no workspace has a file with this id, or none any more");
  }

  async #hasFolder(hash: string, file: string): Promise<boolean> {
    try {
      return (await lstat(join(this.#filesDir, hash, file))).isDirectory();
    } catch (error) {
      this.#report(hash, error);
      return false;
    }
  }

  async #namesIn(folder: string): Promise<readonly string[]> {
    try {
      return await readdir(folder);
    } catch (error) {
      this.#report("", error);
      return [];
    }
  }

  /** Without the error's words: they have the path, and that has the id. */
  #report(hash: string, error: unknown): void {
    const code = error instanceof Error && "code" in error ? String(error.code) : "";
    if (code !== "ENOENT" && code !== "ENOTDIR") this.#log.error("files.not_read", { hash, code });
  }
}

function readIfThere(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return undefined;
  }
}
