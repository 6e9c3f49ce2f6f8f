import { EMPTY_TRANSCRIPT } from "@synthesis/protocol";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { Journal } from "../../src/journal/journal.ts";
import { originOf } from "../../src/journal/turn-origin.ts";
import { JournalFile, turnId } from "../support/test-journal.ts";
import { hashOf, testSubmit, type SubmitOptions } from "../support/test-submit.ts";
import { testLimits } from "../support/test-limits.ts";

let file: JournalFile;
let journal: Journal;
beforeEach(async () => {
  file = await JournalFile.make();
  journal = file.open();
});
afterEach(() => file[Symbol.asyncDispose]());

const bash = (ruleContent: string) => ({ toolName: "Bash", ruleContent });
const rules = [bash("npm test:*"), { toolName: "WebFetch" }];
const point = hashOf("point");
let turns = 0;

/** Accepts a turn of a session as a workspace does. */
function accept(session: string, options: SubmitOptions = {}): string {
  const turn = turnId(++turns);
  const order = testSubmit(turn, "hi", { session, ...options });
  journal.accept(order, originOf(order, journal));
  return turn;
}

/** A session with a turn that ended at a point, and with {@link rules}. */
function withRules(session: string, hash = point): void {
  const turn = accept(session);
  journal.start(turn, session, turn);
  const end = { turn, end: { state: "completed", finishReason: "stop" }, seq: 1, isVoid: false } as const;
  journal.end(session, end, { state: "answer", hash, anchor: turn });
  journal.allow(session, rules);
}

const of = (session: string) => journal.allowedRules.of(session);

test("what was allowed in a session is known after the worker's death, each rule once", () => {
  withRules("s");
  journal.allow("s", [bash("npm test:*")]);
  file.close(journal);
  journal = file.open({ epoch: 2 });
  expect(of("s")).toEqual(rules.toReversed());
  expect(of("other")).toEqual([]);
});

test("the last 256 of a session stay", () => {
  withRules("s");
  withRules("other");
  for (let index = 0; index < 300; index++) journal.allow("s", [bash(`n${index}`)]);
  expect([of("s").length, of("s")[0], of("s").at(-1)]).toEqual([256, bash("n44"), bash("n299")]);
  expect(of("other")).toEqual(rules);
});

/** Of a KiB, the tool's name among it. */
const long = (index: number) => bash(`${String(index).padStart(20, "0")}${"é".repeat(500)}`);

test("the last 16 KiB of a session stay", () => {
  withRules("s");
  for (let index = 0; index < 20; index++) journal.allow("s", [long(index)]);
  expect(of("s")).toEqual(Array.from({ length: 16 }, (_, index) => long(4 + index)));
});

test("of more at once than a session keeps none is added", () => {
  withRules("s");
  const many = Array.from({ length: 257 }, (_, index) => bash(`n${index}`));
  const large = Array.from({ length: 17 }, (_, index) => long(index));
  for (const each of [many, large]) expect(() => journal.allow("s", each)).toThrow("allow fewer at once");
  expect(of("s")).toEqual(rules);
  for (const each of [many.slice(1), large.slice(1)]) {
    journal.allow("s", each);
    expect(of("s")).toEqual(each);
  }
});

test("rules go with their session, and a later one of the same name has none", () => {
  withRules("s");
  journal.forget("s");
  accept("s");
  expect(of("s")).toEqual([]);
});

test("rules go with a session that is not kept any longer", () => {
  for (const session of ["a", "b"]) withRules(session);
  file.close(journal);
  journal = file.open({ epoch: 2, limits: testLimits({ sessions: 1 }) });
  journal.recover();
  expect(file.rows("SELECT DISTINCT session FROM allowed_rules")).toEqual(["b"]);
});

test("a session that begins anew has none, whether its client or its agent forgot the rest", () => {
  for (const session of ["s", "lost", "goes on"]) withRules(session);
  accept("s", { follows: EMPTY_TRANSCRIPT });
  journal.renew("lost", accept("lost"));
  accept("goes on", { follows: point });
  expect([of("s"), of("lost"), of("goes on")]).toEqual([[], [], rules]);
});

test("a session that goes on from an earlier point of its own keeps them; what branches off another has none", () => {
  withRules("s");
  const later = accept("s", { follows: point });
  journal.start(later, "s", later);
  accept("s", { follows: point });
  accept("child", { follows: point, branchOf: "s" });
  withRules("elsewhere", hashOf("another point"));
  accept("elsewhere", { follows: point, branchOf: "s" });
  expect([of("s"), of("child"), of("elsewhere")]).toEqual([rules, [], []]);
});

test("nothing is kept of a session that is not there, nor by a worker that is not the last", () => {
  withRules("s");
  expect(() => journal.allow("none", rules)).toThrow("FOREIGN KEY");
  file.open({ epoch: 2 });
  expect(() => journal.allow("s", [bash("ls")])).toThrow("later than epoch 1");
  expect(of("s")).toEqual(rules);
});
