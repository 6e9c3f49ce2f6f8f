import { expect, test } from "vitest";
import { JournalFile, turnId } from "../support/test-journal.ts";
import { testLimits } from "../support/test-limits.ts";
import { testSubmit } from "../support/test-submit.ts";

const error = { code: "turn_failed", message: "no" } as const;

test("recovery hands over the turns without an end, in the order they were accepted, as they are", async () => {
  await using file = await JournalFile.make();
  const first = file.open();
  for (const index of [1, 2, 3]) first.accept(testSubmit(turnId(index), "hi"));
  first.start(turnId(2), "s");
  first.start(turnId(3), "s");
  first.end(
    "s",
    { turn: turnId(3), end: { state: "completed", finishReason: "stop" }, seq: 1, isVoid: false },
    { state: "none" },
  );
  file.exec("UPDATE turns SET accepted_at = 10 - rowid"); // the clock was set back
  const second = file.open({ epoch: 2 });
  const left = () => second.recover().map(({ order, state }) => [order.turn, state]);
  const expected = [
    [turnId(1), "accepted"],
    [turnId(2), "started"],
  ];
  expect(left()).toEqual(expected);
  expect(left()).toEqual(expected);
});

test.for([null, "", "{", '{"type":"submit"}'])(
  "an open turn whose order reads %j cannot be run, and is ended after what it said",
  async (order) => {
    await using file = await JournalFile.make();
    const journal = file.open();
    for (const index of [1, 2]) journal.accept(testSubmit(turnId(index), "hi"));
    journal.start(turnId(2), "s");
    journal.events.append([{ turn: turnId(2), event: { seq: 1, kind: "text", text: "half" } }]);
    file.exec(`UPDATE turns SET submit_frame = ${order === null ? "NULL" : `'${order}'`}`);
    expect(journal.recover()).toEqual([]);
    const end = { state: "interrupted", error: { code: "turn_interrupted" } };
    expect(journal.turns.get(turnId(1))).toMatchObject({ state: "interrupted", seq: 1, end });
    expect(journal.turns.get(turnId(2))).toMatchObject({ state: "interrupted", seq: 2, end });
  },
);

test("recovery forgets all but the newest turns and the sessions used last", async () => {
  await using file = await JournalFile.make();
  const journal = file.open({ limits: testLimits({ sessions: 2, journalTurns: 2 }) });
  for (const [index, session] of ["old", "old", "kept", "new"].entries()) {
    journal.accept(testSubmit(turnId(index), "hi", { session }));
    journal.end(
      session,
      { turn: turnId(index), end: { state: "failed", error }, seq: 1, isVoid: false },
      { state: "none" },
    );
  }
  // All within one ms otherwise.
  file.exec("UPDATE turns SET accepted_at = rowid");
  file.exec("UPDATE sessions SET used_at = (SELECT max(accepted_at) FROM turns WHERE session = sessions.id)");
  journal.recover();
  expect(journal.sessions.count()).toBe(2);
  expect(journal.sessions.find("old")).toBeUndefined();
  expect(file.rows("SELECT session FROM turns ORDER BY id")).toEqual(["kept", "new"]);
});

test("no open turn is forgotten, nor its session, however old", async () => {
  await using file = await JournalFile.make();
  const journal = file.open({ limits: testLimits({ sessions: 1, journalTurns: 1 }) });
  for (const index of [1, 2, 3])
    journal.accept(testSubmit(turnId(index), "hi", { session: `session ${index}` }));
  expect(journal.recover()).toHaveLength(3);
  expect(journal.sessions.count()).toBe(3);
});

test("a running journal forgets too, and gives the space back", async () => {
  await using file = await JournalFile.make();
  const journal = file.open({ limits: testLimits({ sessions: 3, journalTurns: 5, joinableTurns: 5 }) });
  journal.accept(testSubmit(turnId(0), "hi", { session: "at work" }));
  for (let index = 1; index <= 1001; index++) {
    const session = `session ${index}`;
    journal.accept(testSubmit(turnId(index), "hi", { session }));
    journal.events.append([{ turn: turnId(index), event: { seq: 1, kind: "text", text: "x".repeat(2000) } }]);
    if (index < 1001)
      journal.end(
        session,
        { turn: turnId(index), end: { state: "failed", error }, seq: 2, isVoid: false },
        { state: "none" },
      );
  }
  expect(journal.sessions.count()).toBeLessThan(510);
  expect(journal.sessions.find("at work")).toBeDefined();
  expect(journal.turns.get(turnId(0))?.state).toBe("accepted");
  journal.recover();
  expect(journal.sessions.count()).toBeLessThan(10);
  const [free, pages] = ["freelist_count", "page_count"].map((name) =>
    Number(file.rows(`PRAGMA ${name}`)[0]),
  );
  expect(free).toBe(0);
  expect(pages).toBeLessThan(100);
});

test("above the bound the turns that came first are forgotten, whatever the clock said", async () => {
  await using file = await JournalFile.make();
  const first = file.open();
  for (const index of [1, 2, 3]) {
    first.accept(testSubmit(turnId(index), "hi"));
    first.end(
      "s",
      { turn: turnId(index), end: { state: "failed", error }, seq: 1, isVoid: true },
      { state: "none" },
    );
  }
  file.exec("UPDATE turns SET accepted_at = 10 - rowid"); // the clock was set back
  const second = file.open({ epoch: 2, limits: testLimits({ journalTurns: 1 }) });
  second.recover();
  expect([1, 2, 3].filter((index) => second.turns.isKnown(turnId(index)))).toEqual([3]);
});
