import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileNotFound, type Logger } from "@synthesis/kit";
import { FileFolders, type FileFoldersOptions } from "./file-folders.ts";
import { workspaceHash } from "./workspace-hash.ts";

export interface FileLocatorOptions extends FileFoldersOptions {
  readonly stateDir: string;
}

/**
 * Which workspace has a file that an agent attached. It looks on disk, so that whoever tries ids starts no worker and
 * asks none, and a file is found whose worker is at rest.
 */
export class FileLocator {
  readonly #filesDir: string;
  /** For each workspace that had a worker, by its hash: its folder. Those below `roots` are named nowhere else. */
  readonly #foldersDir: string;
  readonly #folders: FileFolders;
  readonly #log: Logger;

  constructor({ stateDir, ...options }: FileLocatorOptions) {
    this.#filesDir = join(stateDir, "files");
    this.#foldersDir = join(stateDir, "workspaces");
    this.#folders = new FileFolders(options);
    this.#log = options.log;
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
    for (const hash of await this.#folders.namesIn(this.#filesDir)) {
      if ((await this.#folders.stateOf(join(this.#filesDir, hash, file))) !== "kept") continue;
      const path = await readFile(join(this.#foldersDir, hash), "utf8").catch((error: unknown) =>
        String(error),
      );
      if (workspaceHash(path) === hash) return path;
      this.#log.error("files.folder_not_known", { hash });
    }
    throw fileNotFound();
  }
}

function readIfThere(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return undefined;
  }
}
