import { readdir } from "node:fs/promises";
import { join } from "node:path";
import type { Limits } from "@synthesis/config";
import type { Logger } from "@synthesis/kit";
import { hashOf } from "../journal/hash-of.ts";
import { causeOf } from "./cause-of.ts";
import { readEntries } from "./file-entries.ts";
import { FileStore } from "./file-store.ts";
import { Inbox, type InboxOptions } from "./inbox.ts";

export interface ReceivedFilesOptions {
  /** Its real path: by that the agents are told what lies there. */
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
  inbox(session: string, keptFor: InboxOptions["keptFor"]): Inbox {
    const { folder: root, limits, log } = this.#options;
    return new Inbox({ store: this.#store, root, group: groupOf(session), keptFor, limits, log });
  }

  /** Removes what a session was sent. */
  async forget(session: string): Promise<void> {
    await this.#store.removeGroup(groupOf(session));
  }

  /** Removes what is older than `limits.filesKeptMs`. */
  tidy(): void {
    this.#store.tidy();
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

async function groupsIn(folder: string): Promise<string[]> {
  try {
    return (await readdir(folder)).filter((name) => GROUP.test(name));
  } catch (error) {
    if (causeOf(error) === "ENOENT") return [];
    throw error;
  }
}
