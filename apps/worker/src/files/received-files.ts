import { readdir, rmdir } from "node:fs/promises";
import { join } from "node:path";
import type { Limits } from "@synthesis/config";
import type { Logger } from "@synthesis/kit";
import { hashOf } from "../journal/hash-of.ts";
import { causeOf } from "./cause-of.ts";
import { readEntries } from "./file-entries.ts";
import { FileStore } from "./file-store.ts";
import { Inbox } from "./inbox.ts";

export interface ReceivedFilesOptions {
  readonly folder: string;
  readonly limits: Pick<Limits, "fileBytes" | "filesBytes" | "filesKeptMs" | "turnFiles">;
  readonly log: Logger;
}

/** How a folder is called that has the files of one session. */
const GROUP = /^[0-9a-f]{32}$/;

/** The files that clients sent to agents of a workspace which open them by path: a folder for each session. */
export class ReceivedFiles {
  readonly #options: ReceivedFilesOptions;
  readonly #store: FileStore;

  constructor(options: ReceivedFilesOptions) {
    this.#options = options;
    this.#store = new FileStore({ ...options, readKept });
  }

  /** Takes up what earlier generations kept. */
  start(): void {
    this.#store.start();
  }

  /** Where the files of a session lie; its folder need not be there. */
  inbox(session: string): Inbox {
    const { folder, limits, log } = this.#options;
    return new Inbox({ store: this.#store, root: folder, group: groupOf(session), limits, log });
  }

  /** Removes what a session was sent. */
  async forget(session: string): Promise<void> {
    await this.#store.removeGroup(groupOf(session));
  }

  /** Removes what is older than `limits.filesKeptMs`, and folders that are empty. */
  tidy(): void {
    this.#store.tidy();
    void this.#removeEmpty();
  }

  async #removeEmpty(): Promise<void> {
    const { folder, log } = this.#options;
    try {
      for (const group of await groupsIn(folder)) await rmdir(join(folder, group)).catch(ignoreInUse);
    } catch (error) {
      log.error("files.not_removed", { cause: causeOf(error) });
    }
  }
}

/** Session ids may be anything that a file system does not take. */
function groupOf(session: string): string {
  return hashOf(session).slice(0, 32);
}

const readKept: typeof readEntries = async (folder, log) => {
  const groups = (await groupsIn(folder)).map(async (group) =>
    (await readEntries(join(folder, group), log)).map(([id, entry]) => [`${group}/${id}`, entry] as const),
  );
  return (await Promise.all(groups)).flat().sort(([, a], [, b]) => a.keptAt - b.keptAt);
};

/** Something lies in it, or it has gone already. */
function ignoreInUse(error: unknown): void {
  if (!["ENOTEMPTY", "EEXIST", "ENOENT"].includes(causeOf(error))) throw error;
}

async function groupsIn(folder: string): Promise<string[]> {
  try {
    return (await readdir(folder)).filter((name) => GROUP.test(name));
  } catch (error) {
    if (causeOf(error) === "ENOENT") return [];
    throw error;
  }
}
