import type { FindTurn, TurnEnd } from "@synthesis/protocol";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { Journal } from "../../src/journal/journal.ts";
import { JournalFile, turnId } from "../support/test-journal.ts";
import { hashOf, testCaller, testSubmit } from "../support/test-submit.ts";

let file: JournalFile;
let journal: Journal;
beforeEach(async () => {
  file = await JournalFile.make();
  journal = file.open();
});
afterEach(() => file[Symbol.asyncDispose]());

const error = { code: "turn_failed", message: "no" } as const;
const key = hashOf("key");
const body = hashOf("body hi");
const prompt = hashOf("hi");
const ways: readonly FindTurn["by"][] = [{ key }, { body }, { prompt }, { turn: turnId(1) }];
const implicit = [{ body }, { prompt }];

/** Turn 1, by all that it can be found by. */
function accepted(index = 1, request: object = { key }): void {
  journal.accept(testSubmit(turnId(index), "hi", { request }));
}

/** Turn 1 with its end, after it said so many things of this kind. */
function ended(state: TurnEnd["state"], said = 0, kind: "text" | "reasoning" | "note" = "text"): void {
  accepted();
  journal.start(turnId(1), "s");
  for (let seq = 1; seq <= said; seq++)
    journal.events.append([{ turn: turnId(1), event: { seq, kind, text: "x" } }]);
  const end: TurnEnd = state === "completed" ? { state, finishReason: "stop" } : { state, error };
  const isVoid = (state === "cancelled" || state === "failed") && (said === 0 || kind === "note");
  journal.end("s", { turn: turnId(1), end, seq: said + 1, isVoid }, { state: "none" });
}

const found = (by: FindTurn["by"], since = 0, caller = testCaller) =>
  journal.turns.find(caller, by, since)?.turn;

test.for(ways)("an accepted turn is found by %j, with what is known of it", (by) => {
  accepted();
  expect(journal.turns.find(testCaller, by, 0)).toEqual({
    turn: turnId(1),
    session: "s",
    agent: "claude",
    state: "accepted",
    caller: testCaller,
    body,
    prompt,
    seq: 0,
    acceptedAt: expect.any(Number),
    resumes: 0,
  });
});

test.for(ways)("a turn of another API key is not found by %j", (by) => {
  accepted();
  expect(found(by, 0, hashOf("somebody else"))).toBeUndefined();
});

test.for([{ key: hashOf("x") }, { body: hashOf("x") }, { prompt: hashOf("x") }, { turn: turnId(2) }])(
  "nothing is found by %j, which no turn has",
  (by) => {
    accepted();
    expect(found(by)).toBeUndefined();
  },
);

test.for([
  { state: "completed", said: 0, isJoined: true },
  { state: "interrupted", said: 0, isJoined: true },
  { state: "failed", said: 1, isJoined: true },
  { state: "failed", said: 0, isJoined: false },
  { state: "cancelled", said: 0, isJoined: false },
] as const)(
  "a $state turn that said $said things is joined by a repetition: $isJoined",
  ({ state, said, isJoined }) => {
    ended(state, said);
    const joined = isJoined ? turnId(1) : undefined;
    expect([...implicit, { key }].map((by) => found(by))).toEqual([joined, joined, joined]);
    expect(found({ turn: turnId(1) })).toBe(turnId(1)); // who names it wants to see it
  },
);

test("a cancelled turn that said something is joined by key; a client that left and comes back begins anew", () => {
  ended("cancelled", 1);
  expect(found({ key })).toBe(turnId(1));
  expect(implicit.map((by) => found(by))).toEqual([undefined, undefined]);
});

test.for(implicit)("by %j no turn is found whose client has its end; by key it is", (by) => {
  ended("completed");
  journal.take(turnId(1));
  expect(found(by)).toBeUndefined();
  expect(found({ key })).toBe(turnId(1));
});

test.for(implicit)(
  "by %j no turn is found that is over and was admitted too long ago; by key it is",
  (by) => {
    ended("completed");
    const { acceptedAt = 0 } = journal.turns.get(turnId(1)) ?? {};
    expect(found(by, acceptedAt)).toBe(turnId(1));
    expect(found(by, acceptedAt + 1)).toBeUndefined();
    expect(found({ key }, acceptedAt + 1)).toBe(turnId(1));
  },
);

test.for(implicit)("by %j the latest of several is found", (by) => {
  for (const index of [1, 2, 3]) accepted(index, {});
  file.exec("UPDATE turns SET accepted_at = 10 - rowid"); // the clock was set back
  expect(found(by)).toBe(turnId(3));
});

test("what was taken once stays taken then", () => {
  ended("completed");
  file.exec("UPDATE turns SET taken_at = 7");
  journal.take(turnId(1));
  expect(file.rows("SELECT taken_at FROM turns")).toEqual(["7"]);
});

test.for(["accepted", "started", "completed", "interrupted", "failed"] as const)(
  "the Idempotency-Key of a turn that is %s is not given to another",
  (state) => {
    if (state === "accepted" || state === "started") accepted();
    else ended(state, 1);
    if (state === "started") journal.start(turnId(1), "s");
    expect(() =>
      journal.accept(testSubmit(turnId(2), "other", { session: "new", request: { key } })),
    ).toThrow(
      expect.objectContaining({
        error: expect.objectContaining({ code: "idempotency_conflict", retryAfterMs: 1_000 }),
      }),
    );
    expect(journal.turns.isKnown(turnId(2))).toBe(false);
    expect(journal.sessions.find("new")).toBeUndefined();
    expect(found({ key })).toBe(turnId(1));
  },
);

test.for([
  { state: "cancelled", said: 0, kind: "text" },
  { state: "failed", said: 0, kind: "text" },
  { state: "failed", said: 2, kind: "note" },
] as const)(
  "the key of a $state turn that said $said things ($kind) is free again",
  ({ state, said, kind }) => {
    ended(state, said, kind);
    accepted(2);
    expect(found({ key })).toBe(turnId(2));
    expect(journal.turns.get(turnId(1))?.state).toBe(state);
  },
);

test("the same Idempotency-Key of another API key is another key", () => {
  accepted(1, { key });
  accepted(2, { key, caller: hashOf("somebody else") });
  expect(found({ key })).toBe(turnId(1));
  expect(found({ key }, 0, hashOf("somebody else"))).toBe(turnId(2));
});

test.for(implicit)(
  "one that still runs is found by %j however long ago the clock says it was accepted",
  (by) => {
    accepted();
    expect(found(by, Date.now() + 3_600_000)).toBe(turnId(1));
    journal.start(turnId(1), "s");
    expect(found(by, Date.now() + 3_600_000)).toBe(turnId(1));
  },
);
