import { afterEach, beforeEach, expect, test } from "vitest";
import type { Journal } from "../../src/journal/journal.ts";
import type { NumberedTurnEvent } from "../../src/turn/turn-event.ts";
import { JournalFile, turnId } from "../support/test-journal.ts";
import { testSubmit } from "../support/test-submit.ts";

let file: JournalFile;
let journal: Journal;
beforeEach(async () => {
  file = await JournalFile.make();
  journal = file.open();
  for (const index of [1, 2, 3, 4]) journal.accept(testSubmit(turnId(index), "hi"));
});
afterEach(() => file[Symbol.asyncDispose]());

const said: readonly NumberedTurnEvent[] = [
  { seq: 1, kind: "reasoning", text: "[Bash]\n" },
  { seq: 2, kind: "text", text: "one " },
  { seq: 3, kind: "text", text: "two \u{1f600}" },
];

function say(index: number, events = said): void {
  journal.events.append(events.map((event) => ({ turn: turnId(index), event })));
}

/** Turns 1 to 4, all of which said three things; 1 to 3 ended at 10, 20 and 30. */
function endThree(): void {
  for (const index of [1, 2, 3, 4]) say(index);
  for (const index of [1, 2, 3])
    file.exec(`UPDATE turns SET state = 'completed', ended_at = ${index}0 WHERE id = '${turnId(index)}'`);
}

const kept = () => [1, 2, 3, 4].filter((index) => journal.events.lastSeq(turnId(index)) > 0);

test("events are read back after any number, in order", () => {
  say(1, said.slice(0, 1));
  say(1, said.slice(1));
  for (const after of [0, 1, 2, 3, 9])
    expect(journal.events.after(turnId(1), after)).toEqual(said.slice(after));
  expect(journal.events.lastSeq(turnId(1))).toBe(3);
});

test("a turn that said nothing has no events and 0 as its last number", () => {
  say(1);
  expect([journal.events.after(turnId(2), 0), journal.events.lastSeq(turnId(2))]).toEqual([[], 0]);
});

test("the last thing of an agent's own is found below any number of remarks", () => {
  const remarks = Array.from(
    { length: 40 },
    (_, index) => ({ seq: 4 + index, kind: "note", text: "n" }) as const,
  );
  say(1, [...said, ...remarks]);
  say(2, said.slice(0, 1));
  expect(journal.events.lastOfAgent(turnId(1))).toEqual(said[2]);
  expect([2, 3].map((index) => journal.events.lastOfAgent(turnId(index)))).toEqual([undefined, undefined]);
});

test("events that are appended together are kept all or none", () => {
  say(1);
  const rows = [
    { turn: turnId(2), event: { seq: 1, kind: "text", text: "new" } },
    { turn: turnId(1), event: { seq: 3, kind: "text", text: "again" } },
  ] as const;
  expect(() => journal.events.append(rows)).toThrow("UNIQUE");
  expect(journal.events.after(turnId(2), 0)).toEqual([]);
  expect(journal.events.after(turnId(1), 0)).toEqual(said);
});

test("an unknown turn says nothing", () => {
  expect(() => say(9)).toThrow("FOREIGN KEY");
});

test("the beginning of one turn is dropped, of no other", () => {
  for (const index of [1, 2]) say(index);
  journal.events.dropUpTo(turnId(1), 2);
  expect(journal.events.after(turnId(1), 0)).toEqual(said.slice(2));
  expect(journal.events.after(turnId(2), 0)).toEqual(said);
});

test("what ended up to a moment is forgotten, not what ended later or has no end", () => {
  endThree();
  journal.events.prune(20, 100);
  expect(kept()).toEqual([3, 4]);
});

test("what ended before the last `max` is forgotten", () => {
  endThree();
  journal.events.prune(0, 1);
  expect(kept()).toEqual([3, 4]);
});

test("pruning goes on from where it was", () => {
  endThree();
  journal.events.prune(10, 100);
  expect(kept()).toEqual([2, 3, 4]);
  journal.events.prune(5, 100);
  journal.events.prune(30, 100);
  expect(kept()).toEqual([4]);
});

test("recovery prunes by age and by count", () => {
  endThree();
  const day = 86_400_000;
  file.exec(`UPDATE turns SET ended_at = ${Date.now() - day - 1000} WHERE ended_at = 10`);
  file.exec(`UPDATE turns SET ended_at = ${Date.now() - day + 60_000} WHERE ended_at IN (20, 30)`);
  journal.recover();
  expect(kept()).toEqual([2, 3, 4]);
});
