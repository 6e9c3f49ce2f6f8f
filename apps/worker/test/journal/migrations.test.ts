import { EMPTY_TRANSCRIPT } from "@synthesis/protocol";
import { expect, test } from "vitest";
import { migrations } from "../../src/journal/migrations.ts";
import { originOf } from "../../src/journal/turn-origin.ts";
import { JournalFile, turnId } from "../support/test-journal.ts";
import { testScope, testSubmit } from "../support/test-submit.ts";

/** A journal as the first version wrote it: one session with three turns, two of them open. */
async function versionOne(): Promise<JournalFile> {
  const file = await JournalFile.make();
  file.exec(
    `PRAGMA auto_vacuum = INCREMENTAL; PRAGMA journal_mode = WAL; ${migrations[0]} PRAGMA user_version = 1;`,
  );
  const head = "a".repeat(64);
  file.exec(`
    INSERT INTO sessions (id, key, agent, scope, head, agent_session, agent_started, created_at, used_at)
      VALUES ('s', 'claude::s', 'claude', '${testScope}', '${head}', 'f81d4fae-7dec-11d0-a765-00a0c91e6bf6', 1, 10, 20);
    INSERT INTO turns (id, session, state, accepted_at, started_at, ended_at, error_code) VALUES
      ('${turnId(1)}', 's', 'completed', 1, 2, 3, NULL),
      ('${turnId(2)}', 's', 'accepted', 4, NULL, NULL, NULL),
      ('${turnId(3)}', 's', 'started', 5, 6, NULL, NULL);
  `);
  return file;
}

test("a journal of the first version is brought up to date, its sessions kept", async () => {
  await using file = await versionOne();
  const journal = file.open();
  expect(file.rows("PRAGMA user_version")).toEqual([String(migrations.length)]);
  expect(journal.sessions.get("s")).toEqual({
    id: "s",
    key: "claude::s",
    agent: "claude",
    caller: "",
    scope: testScope,
    instructions: null,
    agentSession: "f81d4fae-7dec-11d0-a765-00a0c91e6bf6",
    agentStarted: true,
    createdAt: 10,
    usedAt: 20,
  });
  expect(journal.points.latestOfOne(testScope, ["a".repeat(64)])).toMatchObject({
    session: "s",
    isHead: true,
  });
});

test("what the first version left open is ended as interrupted, what it ended stays so", async () => {
  await using file = await versionOne();
  const journal = file.open();
  expect(journal.recover()).toEqual([]);
  const interrupted = { state: "interrupted", seq: 1, end: { error: { code: "turn_interrupted" } } };
  expect(journal.turns.get(turnId(1))).toMatchObject({ state: "completed", seq: 0 });
  expect(journal.turns.get(turnId(2))).toMatchObject(interrupted);
  expect(journal.turns.get(turnId(3))).toMatchObject(interrupted);
});

test("a session of an earlier version has its end as its one point; one without a transcript has one nobody can name", async () => {
  await using file = await versionOne();
  file.exec(`
    INSERT INTO sessions (id, key, agent, scope, agent_session, agent_started, created_at, used_at) VALUES
      ('told', 'claude::told', 'claude', '${testScope}', 'f81d4fae-7dec-11d0-a765-00a0c91e6bf7', 1, 10, 20),
      ('new', 'claude::new', 'claude', '${testScope}', 'f81d4fae-7dec-11d0-a765-00a0c91e6bf8', 0, 10, 20);
  `);
  const journal = file.open();
  expect(file.rows("SELECT session, position, hash IS NULL FROM points ORDER BY session")).toEqual([
    "s 1 0",
    "told 1 1",
  ]);
  const origin = (session: string, follows: string) =>
    originOf(testSubmit(turnId(4), "hi", { session, follows }), journal).kind;
  expect(origin("s", "a".repeat(64))).toBe("end");
  expect([origin("told", EMPTY_TRANSCRIPT), origin("new", EMPTY_TRANSCRIPT)]).toEqual(["anew", "end"]);
});

test("a session of the first version goes on", async () => {
  await using file = await versionOne();
  const journal = file.open();
  const { agentSession } = journal.accept(testSubmit(turnId(4), "hi"));
  expect(agentSession).toBe("f81d4fae-7dec-11d0-a765-00a0c91e6bf6");
  journal.start(turnId(4), "s");
});

test("a journal that was brought up to date has the schema of a new one", async () => {
  await using old = await versionOne();
  await using fresh = await JournalFile.make();
  const schema = "SELECT type, name, sql FROM sqlite_schema ORDER BY name";
  old.open();
  fresh.open();
  expect(old.rows(schema)).toEqual(fresh.rows(schema));
});
