import { readdir } from "node:fs/promises";
import { DatabaseSync } from "node:sqlite";
import { tempFolder, type TempFolder } from "@synthesis/testkit";
import { Journal, type JournalOptions } from "../../src/journal/journal.ts";
import { LogRecorder } from "./log-recorder.ts";
import { testLimits } from "./test-limits.ts";

/** Opens a journal as a worker of this epoch would; default: 1. */
export function openJournal(file: string, options: Partial<JournalOptions> = {}): Journal {
  return new Journal({
    file,
    epoch: 1,
    limits: testLimits(),
    log: new LogRecorder(),
    onDamage: () => {},
    ...options,
  });
}

/** A journal's file in a folder of its own, and what stands in it. */
export class JournalFile implements AsyncDisposable {
  readonly path: string;
  readonly folder: TempFolder;
  readonly #open: Journal[] = [];

  private constructor(folder: TempFolder) {
    this.folder = folder;
    this.path = folder.join("journal.sqlite");
  }

  static async make(): Promise<JournalFile> {
    return new JournalFile(await tempFolder());
  }

  /** A journal on it, which is closed with it at the latest. */
  open(options: Partial<JournalOptions> = {}): Journal {
    const journal = openJournal(this.path, options);
    this.#open.push(journal);
    return journal;
  }

  close(journal: Journal): void {
    this.#open.splice(this.#open.indexOf(journal), 1);
    journal.close();
  }

  /** Changes it behind the journal's back. */
  exec(sql: string): void {
    this.#use((database) => database.exec(sql));
  }

  /** The values of each row, joined by a space. */
  rows(sql: string): string[] {
    return this.#use((database) =>
      database
        .prepare(sql)
        .all()
        .map((row) => Object.values(row).join(" ")),
    );
  }

  /** The files in its folder. */
  async names(): Promise<string[]> {
    return (await readdir(this.folder.path)).sort();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const journal of this.#open) journal.close();
    await this.folder[Symbol.asyncDispose]();
  }

  #use<T>(use: (database: DatabaseSync) => T): T {
    const database = new DatabaseSync(this.path);
    try {
      return use(database);
    } finally {
      database.close();
    }
  }
}

/** The `index`-th turn id, in order. */
export const turnId = (index: number) => `00000000-0000-4000-8000-${String(index).padStart(12, "0")}`;
