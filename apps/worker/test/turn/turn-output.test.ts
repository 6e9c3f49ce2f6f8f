import { setImmediate } from "node:timers/promises";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { Journal } from "../../src/journal/journal.ts";
import type { NumberedTurnEvent } from "../../src/turn/turn-event.ts";
import { TurnOutput, type OutputTurn } from "../../src/turn/turn-output.ts";
import { FailingDisk } from "../support/failing-disk.ts";
import { LogRecorder } from "../support/log-recorder.ts";
import { JournalFile, turnId } from "../support/test-journal.ts";
import { testSubmit } from "../support/test-submit.ts";

let file: JournalFile;
let journal: Journal;
beforeEach(async () => {
  file = await JournalFile.make();
  journal = file.open();
  for (const index of [1, 2]) journal.accept(testSubmit(turnId(index), "hi"));
});
afterEach(() => file[Symbol.asyncDispose]());

/** A turn that notes what it is given, and whether that stands in the journal by then. */
class HeardTurn implements OutputTurn {
  readonly id: string;
  readonly heard: NumberedTurnEvent[] = [];
  readonly wasKept: boolean[] = [];

  constructor(index: number) {
    this.id = turnId(index);
  }

  get texts(): unknown[] {
    return this.heard.map((event) => ("text" in event ? event.text : event.kind));
  }

  deliver(event: NumberedTurnEvent): void {
    this.heard.push(event);
    this.wasKept.push(journal.events.lastSeq(this.id) >= event.seq);
  }
}

function makeOutput(maxBytes = 1024 * 1024) {
  const log = new LogRecorder();
  return { output: new TurnOutput(journal.events, maxBytes, log), log };
}

test("what comes in one turn of the event loop is one event per turn and kind, journaled before it is told", async () => {
  const { output } = makeOutput();
  const [one, two] = [new HeardTurn(1), new HeardTurn(2)];
  output.add(one, { kind: "text", text: "a" });
  output.add(one, { kind: "text", text: "b" });
  output.add(one, { kind: "reasoning", text: "[Bash]" });
  output.add(two, { kind: "text", text: "x" });
  output.add(one, { kind: "text", text: "c" });
  expect(one.heard).toEqual([]);
  await setImmediate();
  output.add(one, { kind: "text", text: "d" });
  await setImmediate();
  expect(one.heard).toEqual([
    { seq: 1, kind: "text", text: "ab" },
    { seq: 2, kind: "reasoning", text: "[Bash]" },
    { seq: 3, kind: "text", text: "c" },
    { seq: 4, kind: "text", text: "d" },
  ]);
  expect(two.heard).toEqual([{ seq: 1, kind: "text", text: "x" }]);
  expect([...one.wasKept, ...two.wasKept]).toEqual(Array.from({ length: 5 }, () => true));
  expect(journal.events.after(one.id, 0)).toEqual(one.heard);
});

test("text that comes after a flush is an event of its own", () => {
  const { output } = makeOutput();
  const turn = new HeardTurn(1);
  output.add(turn, { kind: "text", text: "a" });
  output.flush();
  output.add(turn, { kind: "text", text: "b" });
  output.flush();
  expect(turn.texts).toEqual(["a", "b"]);
  expect(output.lastSeq(turn.id)).toBe(2);
});

test("numbers go on where an earlier worker left off", () => {
  journal.events.append([{ turn: turnId(1), event: { seq: 1, kind: "text", text: "before" } }]);
  const { output } = makeOutput();
  const turn = new HeardTurn(1);
  output.add(turn, { kind: "text", text: "after" });
  output.flush();
  expect(turn.heard).toEqual([{ seq: 2, kind: "text", text: "after" }]);
});

test("of a long answer at least the last half of the bound is kept, and never more than the bound and a piece", () => {
  const maxBytes = 1000;
  const { output } = makeOutput(maxBytes);
  const turn = new HeardTurn(1);
  const piece = "äöü".repeat(5); // 15 characters, 30 bytes
  const keptBytes = () => Number(file.rows("SELECT sum(length(CAST(text AS BLOB))) FROM turn_events")[0]);
  for (let index = 1; index <= 200; index++) {
    output.add(turn, { kind: "text", text: piece });
    output.flush();
    expect(keptBytes()).toBeLessThanOrEqual(maxBytes + 60);
    expect(keptBytes()).toBeGreaterThanOrEqual(Math.min(index * 30, maxBytes / 2));
  }
  const [oldest = 0] = file.rows("SELECT min(seq) FROM turn_events").map(Number);
  expect(output.after(turn.id, oldest - 2, 200)).toBeUndefined();
  expect(output.after(turn.id, oldest - 1, 200)).toEqual(turn.heard.slice(oldest - 1));
});

test("a piece beyond the bound goes once half of the bound has come after it", () => {
  const { output } = makeOutput(100);
  const turn = new HeardTurn(1);
  for (const text of ["x".repeat(1000), "a".repeat(49), "b".repeat(50)]) {
    output.add(turn, { kind: "text", text });
    output.flush();
    expect(output.after(turn.id, 0, output.lastSeq(turn.id)) === undefined).toBe(text.startsWith("b"));
  }
  expect(file.rows("SELECT seq FROM turn_events")).toEqual(["2", "3"]);
});

test.for([0, 1, 2, 3])("after %i the rest is known, and nothing where a number is missing", (after) => {
  const { output } = makeOutput();
  const turn = new HeardTurn(1);
  for (const text of ["a", "b", "c"]) {
    output.add(turn, { kind: "text", text });
    output.flush();
  }
  expect(output.after(turn.id, after, 3)).toEqual(turn.heard.slice(after));
  journal.events.dropUpTo(turn.id, 2);
  expect(output.after(turn.id, after, 3)).toEqual(after < 2 ? undefined : turn.heard.slice(after));
});

test("what cannot be journaled is told all the same, and known as not kept", () => {
  using disk = new FailingDisk();
  const { output, log } = makeOutput();
  const turn = new HeardTurn(1);
  const say = (text: string) => {
    output.add(turn, { kind: "text", text });
    output.flush();
  };
  say("a");
  disk.fill();
  say("b");
  disk.recover();
  say("c");
  expect(turn.heard.map(({ seq }, index) => [seq, turn.texts[index]])).toEqual([
    [1, "a"],
    [2, "b"],
    [3, "c"],
  ]);
  expect(turn.wasKept).toEqual([true, false, true]);
  expect(log.fieldsOf("journal.output_not_kept")).toHaveLength(1);
  expect([0, 1, 2].map((after) => output.after(turn.id, after, 3)?.length)).toEqual([
    undefined,
    undefined,
    1,
  ]);
});

test("a turn that is over is forgotten", () => {
  const { output } = makeOutput();
  const turn = new HeardTurn(1);
  output.add(turn, { kind: "text", text: "a" });
  output.flush();
  journal.events.dropUpTo(turn.id, 1);
  expect(output.lastSeq(turn.id)).toBe(1);
  output.forget(turn.id);
  expect(output.lastSeq(turn.id)).toBe(0);
  journal.events.append([{ turn: turn.id, event: { seq: 5, kind: "text", text: "later" } }]);
  expect(output.lastSeq(turn.id)).toBe(5);
});
