import { cpSync, readdirSync, readFileSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { basename } from "node:path";
import { expect, test } from "vitest";
import { LogRecorder } from "../support/log-recorder.ts";
import { JournalFile, turnId } from "../support/test-journal.ts";
import { testSubmit } from "../support/test-submit.ts";

/** Writes all of the log back, so that the file has every page. */
const allInFile = (file: JournalFile) => file.exec("PRAGMA wal_checkpoint(TRUNCATE)");

test("the journal and its side files can be read by this user only", async () => {
  await using file = await JournalFile.make();
  file.open().accept(testSubmit(turnId(1), "hi"));
  const modes = readdirSync(file.folder.path).map(
    (name) => `${name} ${(statSync(file.folder.join(name)).mode & 0o777).toString(8)}`,
  );
  expect(modes.sort()).toEqual(["journal.sqlite 600", "journal.sqlite-shm 600", "journal.sqlite-wal 600"]);
});

test("what is written survives closing and opening", async () => {
  await using file = await JournalFile.make();
  const first = file.open();
  const record = first.accept(testSubmit(turnId(1), "hi"));
  file.close(first);
  expect(file.open().sessions.find("s")).toEqual(record);
});

test.for([
  { title: "is no database", content: "this was a journal once ".repeat(500) },
  { title: "has a header only", content: `SQLite format 3\0${"\u0010\0".repeat(600)}` },
])("a journal that $title is moved aside, loudly, and an empty one takes its place", async ({ content }) => {
  await using file = await JournalFile.make();
  writeFileSync(file.path, content);
  const log = new LogRecorder();
  const journal = file.open({ log });
  expect(journal.sessions.count()).toBe(0);
  journal.accept(testSubmit(turnId(1), "hi"));
  const [line] = log.fieldsOf("journal.corrupt");
  const aside = basename(String(line?.["movedTo"]));
  expect(aside).toMatch(/^journal\.sqlite\.corrupt-\d+$/);
  expect(readFileSync(file.folder.join(aside), "utf8")).toBe(content);
});

test("a journal that lost its end is moved aside: its worker starts", async () => {
  await using file = await JournalFile.make();
  const first = file.open();
  for (let index = 1; index <= 200; index++) first.accept(testSubmit(turnId(index), "x".repeat(500)));
  file.close(first);
  truncateSync(file.path, 8192);
  const log = new LogRecorder();
  const second = file.open({ log, epoch: 2 });
  second.recover();
  expect(log.fieldsOf("journal.corrupt")).toHaveLength(1);
  expect(second.sessions.count()).toBe(0);
});

test.for(["sessions", "turns", "turn_events", "turns_by_key"])(
  "a journal with a damaged page of %s is moved aside at the start, not found out by a turn",
  async (table) => {
    await using file = await JournalFile.make();
    file.close(file.open());
    const page = Number(file.rows(`SELECT rootpage FROM sqlite_schema WHERE name = '${table}'`)[0]);
    const bytes = readFileSync(file.path);
    bytes.fill(0x5a, (page - 1) * 4096, page * 4096);
    writeFileSync(file.path, bytes);
    const log = new LogRecorder();
    file.open({ log }).accept(testSubmit(turnId(1), "hi"));
    expect(log.fieldsOf("journal.corrupt")).toHaveLength(1);
  },
);

test("what a killed worker left in the write-ahead log of a corrupt journal does not reach the new one", async () => {
  await using file = await JournalFile.make();
  await using other = await JournalFile.make();
  other.close(other.open()); // writes the log back, so that the next one is partial
  other.open().accept(testSubmit(turnId(1), "hi"));
  cpSync(`${other.path}-wal`, `${file.path}-wal`);
  writeFileSync(file.path, "garbage ".repeat(1000));
  const log = new LogRecorder();
  const journal = file.open({ log });
  expect(log.fieldsOf("journal.corrupt")).toHaveLength(1);
  expect(journal.sessions.count()).toBe(0);
  journal.accept(testSubmit(turnId(2), "hi"));
  file.close(journal);
  expect(file.rows("PRAGMA integrity_check")).toEqual(["ok"]);
});

test.for([
  { title: "garbage", damage: (wal: Buffer) => Buffer.alloc(wal.length, "garbage "), movedAside: 1 },
  {
    title: "torn in its last frame",
    damage: (wal: Buffer) => wal.subarray(0, wal.length - 2000),
    movedAside: 0,
  },
])(
  "a write-ahead log that is $title costs what stood in it, not the journal",
  async ({ damage, movedAside }) => {
    await using file = await JournalFile.make();
    await using copy = await JournalFile.make();
    const killed = file.open();
    killed.accept(testSubmit(turnId(1), "hi", { session: "kept" }));
    allInFile(file);
    killed.accept(testSubmit(turnId(2), "hi", { session: "lost" }));
    cpSync(file.path, copy.path);
    writeFileSync(`${copy.path}-wal`, damage(readFileSync(`${file.path}-wal`)));
    const log = new LogRecorder();
    const journal = copy.open({ log });
    expect(log.fieldsOf("journal.corrupt")).toEqual([]);
    const foreign = log.fieldsOf("journal.log_corrupt").map(({ movedTo }) => String(movedTo));
    expect(foreign).toHaveLength(movedAside);
    for (const aside of foreign) expect(readFileSync(aside, "utf8")).toMatch(/^garbage /);
    expect(journal.sessions.find("kept")).toBeDefined();
    expect([journal.sessions.find("lost"), journal.turns.isKnown(turnId(2))]).toEqual([undefined, false]);
    journal.accept(testSubmit(turnId(3), "hi"));
    expect(copy.rows("PRAGMA integrity_check")).toEqual(["ok"]);
  },
);

test("a journal of a later version is refused and left as it is", async () => {
  await using file = await JournalFile.make();
  file.exec("CREATE TABLE t (a); PRAGMA user_version = 99;");
  expect(() => file.open()).toThrow(/later version of Synthesis \(schema 99\).*or move the file away/);
  expect(file.rows("SELECT name FROM sqlite_schema")).toEqual(["t"]);
});

test("a journal in a folder that is not there cannot be opened", async () => {
  await using file = await JournalFile.make();
  await file.folder[Symbol.asyncDispose]();
  expect(() => file.open()).toThrow("ENOENT");
});
