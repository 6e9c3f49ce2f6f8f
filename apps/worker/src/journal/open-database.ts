import { chmodSync, closeSync, openSync, renameSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import type { Logger } from "@synthesis/kit";
import { DamagedError, isCorrupt } from "./database-error.ts";
import { migrations } from "./migrations.ts";
import { keepForeignLog } from "./write-ahead-log.ts";

/**
 * Opens a journal, making it where there is none. A file that SQLite cannot read is moved aside, loudly, and
 * an empty one takes its place: a lost journal costs memories, a worker that never starts costs the workspace.
 */
export function openDatabase(file: string, log: Logger): DatabaseSync {
  keepForeignLog(file, log);
  try {
    return openChecked(file);
  } catch (error) {
    if (!isCorrupt(error)) throw error;
    const aside = `${file}.corrupt-${Date.now()}`;
    renameSync(file, aside);
    for (const side of ["-wal", "-shm"]) moveSideFile(`${file}${side}`, `${aside}${side}`);
    log.error("journal.corrupt", { file, movedTo: aside, error: String(error) });
    return openChecked(file);
  }
}

/**
 * A second connection to an open journal, for what need not survive a power failure: it is not synced, and
 * survives the death of the process all the same (measured: 60 kills within writes, nothing lost).
 */
export function openUnsynced(file: string): DatabaseSync {
  const database = new DatabaseSync(file, { timeout: 5000 });
  database.exec("PRAGMA synchronous = NORMAL; PRAGMA foreign_keys = ON;");
  return database;
}

function openChecked(file: string): DatabaseSync {
  closeSync(openSync(file, "a", 0o600)); // SQLite gives its side files the mode of the journal
  chmodSync(file, 0o600);
  const database = new DatabaseSync(file, { timeout: 5000 });
  try {
    // auto_vacuum has an effect only before the first table is made.
    database.exec(
      "PRAGMA auto_vacuum = INCREMENTAL; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;",
    );
    migrate(database, file);
    check(database);
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

function migrate(database: DatabaseSync, file: string): void {
  const version = Number(database.prepare("PRAGMA user_version").get()?.["user_version"]);
  if (version > migrations.length) {
    throw new Error(
      `${file} was written by a later version of Synthesis (schema ${version}): run that one, or move the file away`,
    );
  }
  for (const [index, migration] of migrations.entries()) {
    if (index >= version) database.exec(`BEGIN; ${migration} PRAGMA user_version = ${index + 1}; COMMIT;`);
  }
}

/** Looks through the whole file, 0.5 ms for each MB: damage found later would fail turns instead of the start. */
function check(database: DatabaseSync): void {
  const found = database.prepare("PRAGMA quick_check(1)").get()?.["quick_check"];
  if (found !== "ok") throw new DamagedError(String(found));
}

function moveSideFile(from: string, to: string): void {
  try {
    renameSync(from, to);
  } catch {
    // there is none
  }
}
