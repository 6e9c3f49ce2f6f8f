import { readdir } from "node:fs/promises";
import type { Limits } from "@synthesis/config";
import { readFileEntry, type Logger } from "@synthesis/kit";

export interface FileFoldersOptions {
  readonly limits: Pick<Limits, "filesKeptMs">;
  readonly log: Logger;
}

/** How workers keep files: a folder for each, by its id. What cannot be read is logged, and as good as not there. */
export class FileFolders {
  readonly #filesKeptMs: number;
  readonly #log: Logger;

  constructor({ limits, log }: FileFoldersOptions) {
    this.#filesKeptMs = limits.filesKeptMs;
    this.#log = log;
  }

  async namesIn(folder: string): Promise<readonly string[]> {
    try {
      return await readdir(folder);
    } catch (error) {
      this.report("files.not_read", error);
      return [];
    }
  }

  /** Whether a folder of a file is there, and `limits.filesKeptMs` over, as the worker counts. */
  async stateOf(folder: string): Promise<"kept" | "too_old" | "none"> {
    try {
      const entry = await readFileEntry(folder);
      if (entry?.isFolder !== true) return "none";
      return entry.keptAt < Date.now() - this.#filesKeptMs ? "too_old" : "kept";
    } catch (error) {
      this.report("files.not_read", error);
      return "none";
    }
  }

  /** Logs why something cannot be had, without the error's words: they have the path, and that has the file's id. */
  report(event: string, error: unknown): void {
    const code = error instanceof Error && "code" in error ? String(error.code) : "";
    if (code !== "ENOENT" && code !== "ENOTDIR") this.#log.error(event, { code });
  }
}
