import { rm, rmdir } from "node:fs/promises";
import { join } from "node:path";
import { FileId } from "@synthesis/protocol";
import { FileFolders, type FileFoldersOptions } from "./file-folders.ts";

const TIDY_EVERY_MS = 3_600_000;

export interface OldFilesOptions extends FileFoldersOptions {
  readonly stateDir: string;
}

/**
 * Removes files older than `limits.filesKeptMs`, those that agents attached and those that clients sent to them, of every
 * workspace: a worker does so too, but not every workspace has one again.
 */
export class OldFiles {
  readonly #filesDir: string;
  /** A folder for each workspace, in which there is one for each session. */
  readonly #receivedDir: string;
  readonly #folders: FileFolders;
  #timer: NodeJS.Timeout | undefined;

  constructor({ stateDir, ...options }: OldFilesOptions) {
    this.#filesDir = join(stateDir, "files");
    this.#receivedDir = join(stateDir, "received");
    this.#folders = new FileFolders(options);
  }

  /** Tidies now, and every hour. */
  start(): void {
    void this.tidy();
    this.#timer = setInterval(() => void this.tidy(), TIDY_EVERY_MS);
  }

  close(): void {
    clearInterval(this.#timer);
  }

  /** Never rejects. */
  async tidy(): Promise<void> {
    for (const workspace of await this.#foldersIn(this.#filesDir)) await this.#tidy(workspace);
    for (const workspace of await this.#foldersIn(this.#receivedDir)) {
      for (const session of await this.#foldersIn(workspace)) {
        await this.#tidy(session);
        await rmdir(session).catch((error: unknown) => this.#report(error));
      }
    }
  }

  async #foldersIn(folder: string): Promise<readonly string[]> {
    return (await this.#folders.namesIn(folder)).map((name) => join(folder, name));
  }

  async #tidy(folder: string): Promise<void> {
    const names = await this.#folders.namesIn(folder);
    for (const name of names.filter((each) => FileId.safeParse(each).success)) {
      const file = join(folder, name);
      if ((await this.#folders.stateOf(file)) !== "too_old") continue;
      await rm(file, { recursive: true, force: true }).catch((error: unknown) => this.#report(error));
    }
  }

  #report(error: unknown): void {
    const isInUse = error instanceof Error && "code" in error && error.code === "ENOTEMPTY";
    if (!isInUse) this.#folders.report("files.not_removed", error);
  }
}
