import { cpSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { basename } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { tempFolder, type TempFolder } from "@synthesis/testkit";
import { expect, test } from "vitest";
import { Journal } from "../../src/journal/journal.ts";
import { LogRecorder } from "../support/log-recorder.ts";
import { testSubmit } from "../support/test-workspace.ts";

const fileIn = (folder: TempFolder) => folder.join("journal.sqlite");
const bounds = { sessions: 100, journalTurns: 100 };
const turnId = (index: number) => `00000000-0000-4000-8000-${String(index).padStart(12, "0")}`;

function rows(folder: TempFolder, sql: string): unknown[] {
  const database = new DatabaseSync(fileIn(folder));
  const found = database
    .prepare(sql)
    .all()
    .map((row) => Object.values(row).join(" "));
  database.close();
  return found;
}

test("the journal and its side files can be read by this user only", async () => {
  await using folder = await tempFolder();
  const journal = new Journal(fileIn(folder), bounds, new LogRecorder());
  journal.accept(testSubmit(turnId(1), "hi"));
  const modes = readdirSync(folder.path).map(
    (name) => `${name} ${(statSync(folder.join(name)).mode & 0o777).toString(8)}`,
  );
  journal.close();
  expect(modes.sort()).toEqual(["journal.sqlite 600", "journal.sqlite-shm 600", "journal.sqlite-wal 600"]);
});

test("what is written survives closing and opening", async () => {
  await using folder = await tempFolder();
  const first = new Journal(fileIn(folder), bounds, new LogRecorder());
  const record = first.accept(testSubmit(turnId(1), "hi"));
  first.close();
  const second = new Journal(fileIn(folder), bounds, new LogRecorder());
  expect(second.session("s")).toEqual(record);
  second.close();
});

test("recovery ends open turns as interrupted, and only those", async () => {
  await using folder = await tempFolder();
  const first = new Journal(fileIn(folder), bounds, new LogRecorder());
  for (const index of [1, 2, 3]) first.accept(testSubmit(turnId(index), "hi"));
  first.start(turnId(2), "s");
  first.start(turnId(3), "s");
  first.end(turnId(3), "s", { state: "completed", finishReason: "stop" }, undefined);
  first.close();
  const second = new Journal(fileIn(folder), bounds, new LogRecorder());
  expect(second.recover()).toBe(2);
  expect(second.recover()).toBe(0);
  second.close();
  expect(rows(folder, "SELECT state, error_code FROM turns ORDER BY id")).toEqual([
    "interrupted turn_interrupted",
    "interrupted turn_interrupted",
    "completed ",
  ]);
});

test("recovery forgets all but the newest turns and the sessions used last", async () => {
  await using folder = await tempFolder();
  const journal = new Journal(fileIn(folder), { sessions: 2, journalTurns: 2 }, new LogRecorder());
  const accept = (index: number, session: string) =>
    journal.accept(testSubmit(turnId(index), "hi", { session }));
  accept(1, "old");
  accept(2, "old");
  accept(3, "kept");
  accept(4, "new");
  const database = new DatabaseSync(fileIn(folder));
  // All within one ms otherwise.
  database.exec("UPDATE turns SET accepted_at = CAST(substr(id, -1) AS INTEGER)");
  database.exec(
    "UPDATE sessions SET used_at = (SELECT max(accepted_at) FROM turns WHERE session = sessions.id)",
  );
  database.close();
  journal.recover();
  expect(journal.sessionCount()).toBe(2);
  expect(journal.session("old")).toBeUndefined();
  journal.close();
  expect(rows(folder, "SELECT session FROM turns ORDER BY id")).toEqual(["kept", "new"]);
});

test("a running journal forgets too, every thousand turns, but no session at work", async () => {
  await using folder = await tempFolder();
  const journal = new Journal(fileIn(folder), { sessions: 3, journalTurns: 5 }, new LogRecorder());
  journal.accept(testSubmit(turnId(0), "hi", { session: "at work" }));
  const error = { code: "turn_failed", message: "no" } as const;
  for (let index = 1; index <= 1001; index++) {
    const session = `session ${index}`;
    journal.accept(testSubmit(turnId(index), "hi", { session }));
    if (index < 1001) journal.end(turnId(index), session, { state: "failed", error }, undefined);
  }
  expect(journal.sessionCount()).toBeLessThan(10);
  expect(journal.session("at work")).toBeDefined();
  journal.start(turnId(0), "at work");
  journal.close();
});

test("a corrupt journal is moved aside, loudly, and an empty one takes its place", async () => {
  await using folder = await tempFolder();
  const garbage = "this was a journal once ".repeat(500);
  writeFileSync(fileIn(folder), garbage);
  const log = new LogRecorder();
  const journal = new Journal(fileIn(folder), bounds, log);
  expect(journal.sessionCount()).toBe(0);
  journal.close();
  const [line] = log.fieldsOf("journal.corrupt");
  const aside = basename(String(line?.["movedTo"]));
  expect(aside).toMatch(/^journal\.sqlite\.corrupt-\d+$/);
  expect(readFileSync(folder.join(aside), "utf8")).toBe(garbage);
});

test("what a killed worker left in the write-ahead log of a corrupt journal does not reach the new one", async () => {
  await using folder = await tempFolder();
  const other = folder.join("killed.sqlite");
  new Journal(other, bounds, new LogRecorder()).close(); // writes the log back, so that the next one is partial
  const killed = new Journal(other, bounds, new LogRecorder());
  killed.accept(testSubmit(turnId(1), "hi"));
  cpSync(`${other}-wal`, `${fileIn(folder)}-wal`);
  killed.close();
  writeFileSync(fileIn(folder), "garbage ".repeat(1000));
  const log = new LogRecorder();
  const journal = new Journal(fileIn(folder), bounds, log);
  expect(log.fieldsOf("journal.corrupt")).toHaveLength(1);
  expect(journal.sessionCount()).toBe(0);
  journal.accept(testSubmit(turnId(2), "hi"));
  journal.close();
  expect(rows(folder, "PRAGMA integrity_check")).toEqual(["ok"]);
});

test("a journal of another schema is refused and left as it is", async () => {
  await using folder = await tempFolder();
  const database = new DatabaseSync(fileIn(folder));
  database.exec("CREATE TABLE t (a); PRAGMA user_version = 99;");
  database.close();
  expect(() => new Journal(fileIn(folder), bounds, new LogRecorder())).toThrow(/schema 99.*move it away/);
  expect(rows(folder, "SELECT name FROM sqlite_schema")).toEqual(["t"]);
});

test("a journal in a folder that is not there cannot be opened", async () => {
  await using folder = await tempFolder();
  expect(() => new Journal(folder.join("none", "journal.sqlite"), bounds, new LogRecorder())).toThrow(
    "ENOENT",
  );
});
