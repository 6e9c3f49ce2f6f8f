import { closeSync, openSync, renameSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import type { Logger } from "@synthesis/kit";

const SCHEMA_VERSION = 1;

const schema = `
  CREATE TABLE sessions (
    id TEXT PRIMARY KEY,
    key TEXT NOT NULL,
    agent TEXT NOT NULL,
    scope TEXT NOT NULL,
    head TEXT,
    agent_session TEXT NOT NULL,
    agent_started INTEGER NOT NULL DEFAULT 0,
    created_at INTEGER NOT NULL,
    used_at INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX sessions_by_head ON sessions (scope, head);
  CREATE TABLE turns (
    id TEXT PRIMARY KEY,
    session TEXT NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    state TEXT NOT NULL,
    accepted_at INTEGER NOT NULL,
    started_at INTEGER,
    ended_at INTEGER,
    error_code TEXT
  ) STRICT;
  CREATE INDEX turns_by_session ON turns (session, accepted_at);
  CREATE INDEX turns_by_state ON turns (state);
  PRAGMA user_version = ${SCHEMA_VERSION};
`;

/**
 * Opens a journal, making it where there is none. A file that SQLite cannot read is moved aside, loudly, and
 * an empty one takes its place: a lost journal costs memories, a worker that never starts costs the workspace.
 */
export function openDatabase(file: string, log: Logger): DatabaseSync {
  try {
    return openChecked(file);
  } catch (error) {
    if (!isCorrupt(error)) throw error;
    const aside = `${file}.corrupt-${Date.now()}`;
    renameSync(file, aside);
    log.error("journal.corrupt", { file, movedTo: aside, error: String(error) });
    return openChecked(file);
  }
}

function openChecked(file: string): DatabaseSync {
  closeSync(openSync(file, "a", 0o600)); // SQLite gives its side files the mode of the journal
  const database = new DatabaseSync(file, { timeout: 5000 });
  try {
    database.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;");
    const version = database.prepare("PRAGMA user_version").get()?.["user_version"];
    if (version === 0) database.exec(`BEGIN; ${schema} COMMIT;`);
    else if (version !== SCHEMA_VERSION) {
      throw new Error(
        `${file} was written by another version of Synthesis (schema ${String(version)}): move it away`,
      );
    }
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

/** Whether SQLite itself failed: a full disk, a lock, a file that is no database. */
export function isDatabaseError(error: unknown): boolean {
  return error instanceof Error && "errcode" in error;
}

/** SQLITE_CORRUPT (11) and SQLITE_NOTADB (26). */
function isCorrupt(error: unknown): boolean {
  const code = error instanceof Error && "errcode" in error ? error.errcode : undefined;
  return code === 11 || code === 26;
}
