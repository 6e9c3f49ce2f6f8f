import { readdirSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import * as z from "zod";
import type { JournalTurn } from "./evidence.ts";

const Row = z.object({
  id: z.string(),
  session: z.string(),
  state: z.string(),
  acceptedAt: z.number(),
  startedAt: z.number().nullable(),
  endedAt: z.number().nullable(),
  errorCode: z.string().nullable(),
});

/** The turns of all journals in a state folder, each journal's in the order of acceptance. Of a stopped instance. */
export function readJournals(stateDir: string): readonly JournalTurn[] {
  const folder = join(stateDir, "journals");
  return readdirSync(folder)
    .filter((name) => name.endsWith(".db"))
    .flatMap((name) => readJournal(join(folder, name)));
}

function readJournal(file: string): readonly JournalTurn[] {
  const database = new DatabaseSync(file, { readOnly: true });
  try {
    const rows = database
      .prepare(
        "SELECT id, session, state, accepted_at AS acceptedAt, started_at AS startedAt, ended_at AS endedAt, error_code AS errorCode FROM turns ORDER BY accepted_at, rowid",
      )
      .all();
    return rows.map((row) => Row.parse(row));
  } finally {
    database.close();
  }
}
