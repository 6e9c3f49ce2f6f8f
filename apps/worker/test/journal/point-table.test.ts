import type { TurnEnd } from "@synthesis/protocol";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { Journal } from "../../src/journal/journal.ts";
import { originOf, type TurnOrigin } from "../../src/journal/turn-origin.ts";
import type { TurnTranscript } from "../../src/journal/transcripts.ts";
import { JournalFile, turnId } from "../support/test-journal.ts";
import { testLimits } from "../support/test-limits.ts";
import { hashOf, testScope, testSubmit, type SubmitOptions } from "../support/test-submit.ts";

let file: JournalFile;
let journal: Journal;
let turns = 0;
beforeEach(async () => {
  turns = 0;
  file = await JournalFile.make();
  journal = file.open();
});
afterEach(() => file[Symbol.asyncDispose]());

const asked = (name: string) => hashOf(`asked ${name}`);
const answered = (name: string) => hashOf(`answered ${name}`);
const error = { code: "turn_cancelled", message: "no" } as const;

interface TurnOptions extends SubmitOptions {
  readonly state?: TurnEnd["state"];
  readonly left?: TurnTranscript;
  /** Its agent's conversation branches nowhere. */
  readonly isUnmarked?: boolean;
}

/** A turn of session `s` that went on from `origin`; its points are `asked(name)` and `answered(name)`. */
function turn(name: string, options: TurnOptions = {}, origin?: TurnOrigin): string {
  const { state = "completed", isUnmarked, left, ...submit } = options;
  const anchor = isUnmarked ? undefined : `end of ${name}`;
  const instructions = submit.instructions === undefined ? undefined : hashOf(submit.instructions);
  const id = turnId(++turns);
  const session = submit.session ?? "s";
  journal.accept(testSubmit(id, name, { transcript: asked(name), ...submit }), origin);
  journal.start(id, session, isUnmarked ? undefined : id);
  const end: TurnEnd = state === "completed" ? { state, finishReason: "stop" } : { state, error };
  journal.end(
    session,
    { turn: id, end, seq: 1, isVoid: false },
    left ?? { state: "answer", hash: answered(name), anchor, instructions },
  );
  return id;
}

/** A turn that goes on from where its order says. */
function branch(name: string, options: TurnOptions): string {
  const { session, ...order } = options;
  const origin = originOf(
    testSubmit(turnId(0), name, { ...order, ...(session ? { session } : {}) }),
    journal,
  );
  return turn(name, options, origin);
}

const latestOf = (session: string, ...hashes: string[]) =>
  journal.points.latestOf({ id: session, scope: testScope }, hashes);
/** The session of the scope, and whether the point is its head. */
const oneOf = (...hashes: string[]) => {
  const point = journal.points.latestOfOne(testScope, hashes);
  return point && `${point.session}${point.isHead ? " head" : ""}`;
};
const agentSession = (session = "s") => journal.sessions.get(session).agentSession;

test("W-13: a session has a point after each prompt and each answer; the last one is its head", () => {
  const [first] = [turn("1"), turn("2")];
  expect(latestOf("s", answered("2"))).toMatchObject({ position: 4, isHead: true });
  expect(latestOf("s", asked("2"), answered("2"))).toMatchObject({ position: 3, isHead: false });
  expect(latestOf("s", hashOf("other"), answered("1"))).toMatchObject({
    isHead: false,
    place: { agentSession: agentSession(), anchor: "end of 1" },
  });
  expect(latestOf("s", asked("1"))?.place?.anchor).toBe(first);
  expect(latestOf("other", answered("2"))).toBeUndefined();
  expect(latestOf("s")).toBeUndefined();
});

test.for(["failed", "cancelled", "interrupted"] as const)(
  "W-13: after a last turn that was %s its prompt counts as the head too, until another turn follows",
  (state) => {
    turn("1");
    turn("2", { state, left: { state: "answer", hash: answered("2") } });
    expect([latestOf("s", asked("2"))?.isHead, latestOf("s", answered("2"))?.isHead]).toEqual([true, true]);
    expect(latestOf("s", answered("1"))?.isHead).toBe(false);
    branch("3", { follows: asked("2") }); // the client dropped what there was of the answer
    expect(latestOf("s", answered("2"))).toBeUndefined();
    expect(latestOf("s", asked("2"))?.isHead).toBe(false);
  },
);

test("a prompt's point while its turn runs, and after it completed, is not the end of its session", () => {
  const id = turnId(9);
  journal.accept(testSubmit(id, "1", { transcript: asked("1") }));
  expect(latestOf("s", asked("1"))).toMatchObject({ isHead: true });
  expect(latestOf("s", asked("1"))?.place).toBeUndefined(); // its agent was not told it yet
  journal.start(id, "s", id);
  expect(latestOf("s", asked("1"))?.place).toEqual({ agentSession: agentSession(), anchor: id });
  turn("2");
  expect(latestOf("s", asked("2"))?.isHead).toBe(false);
});

test("a turn that came to nothing leaves no point, and the head is what it was", () => {
  turn("1");
  turn("2", { state: "failed", left: { state: "none" } });
  expect(latestOf("s", asked("2"))).toBeUndefined();
  expect(latestOf("s", answered("1"))?.isHead).toBe(true);
});

test("a point without a hash is named by nobody, and is where its session ends", () => {
  turn("1");
  turn("2", { left: { state: "answer" } });
  expect(latestOf("s", answered("1"))?.isHead).toBe(false);
  expect(file.rows("SELECT count(*) FROM points WHERE hash IS NULL")).toEqual(["1"]);
});

test("an earlier point where its agent cannot branch off is not told, its session's head is", () => {
  turn("1", { isUnmarked: true });
  expect(latestOf("s", answered("1"))?.isHead).toBe(true);
  turn("2", { isUnmarked: true });
  expect(latestOf("s", answered("1"), asked("1"))).toBeUndefined();
  expect(oneOf(answered("1"))).toBeUndefined();
  expect(() => originOf(testSubmit(turnId(0), "x", { follows: answered("1") }), journal)).toThrow(
    expect.objectContaining({ error: expect.objectContaining({ code: "session_lost" }) }),
  );
});

test("W-15: of two sessions with the latest of the points none is located, of one that alone has it that one", () => {
  turn("1", { session: "a" });
  expect(oneOf(hashOf("other"), answered("1"))).toBe("a head");
  turn("1", { session: "b" });
  expect(oneOf(answered("1"))).toBeUndefined();
  turn("2", { session: "b" });
  expect(oneOf(answered("1"))).toBeUndefined();
  expect(oneOf(answered("2"), answered("1"))).toBe("b head");
  expect(journal.points.latestOfOne(hashOf("another scope"), [answered("2")])).toBeUndefined();
});

test("W-15: of sessions that branched off each other the one whose head it is is located, else the parent", () => {
  turn("1", { session: "parent" });
  turn("2", { session: "parent" });
  branch("3", { session: "child", branchOf: "parent", follows: answered("1") });
  expect(oneOf(answered("1"))).toBe("parent");
  expect(oneOf(answered("3"), answered("1"))).toBe("child head");
  branch("4", { session: "grandchild", branchOf: "child", follows: answered("1") });
  expect(oneOf(answered("1"))).toBe("parent");
  branch("5", { session: "tip", branchOf: "parent", follows: answered("1"), left: { state: "none" } });
  expect(oneOf(answered("1"))).toBe("tip head");
});

test("W-15: of several heads of one family the last used is located", () => {
  turn("1", { session: "parent" });
  for (const session of ["x", "y"]) branch("2", { session, branchOf: "parent", follows: answered("1") });
  file.exec("UPDATE sessions SET used_at = 0; UPDATE sessions SET used_at = 5 WHERE id = 'y'");
  expect(oneOf(answered("2"))).toBe("y head");
  file.exec("UPDATE sessions SET used_at = 9 WHERE id = 'x'");
  expect(oneOf(answered("2"))).toBe("x head");
});

test("a session that begins anew is no branch any more: with its parent's transcript it is another one", () => {
  turn("1", { session: "parent" });
  branch("2", { session: "child", branchOf: "parent", follows: answered("1") });
  expect(journal.sessions.get("child").branchOf).toBe("parent");
  turn("1", { session: "child" }, { kind: "anew" });
  expect(journal.sessions.get("child").branchOf).toBeUndefined();
  expect(oneOf(answered("1"))).toBeUndefined();
});

test("W-14: a branch within a session forgets what came after, and gives its agent a new conversation from there", () => {
  turn("1", { instructions: "one" });
  turn("2", { instructions: "two" });
  const before = agentSession();
  branch("3", { follows: answered("1"), left: { state: "none" } });
  expect(latestOf("s", answered("2"), asked("2"))).toBeUndefined();
  expect(latestOf("s", answered("1"))).toMatchObject({ isHead: true, place: { agentSession: before } });
  expect(journal.sessions.get("s")).toMatchObject({
    origin: { agentSession: before, anchor: "end of 1" },
    instructions: hashOf("one"),
  });
  expect(agentSession()).not.toBe(before);
});

test("W-14: a branch of another session has its points up to there, and leaves it as it is", () => {
  turn("1", { session: "parent", instructions: "one" });
  turn("2", { session: "parent" });
  const before = [journal.sessions.get("parent"), ...file.rows("SELECT * FROM points")];
  branch("3", { session: "child", branchOf: "parent", follows: answered("1") });
  const [parent, ...points] = before;
  expect(journal.sessions.get("parent")).toEqual(parent);
  expect(file.rows("SELECT * FROM points WHERE session = 'parent'")).toEqual(points);
  expect(latestOf("child", answered("2"))).toBeUndefined();
  expect(latestOf("child", answered("1"))?.place?.agentSession).toBe(agentSession("parent"));
  expect(latestOf("child", answered("3"))?.place?.agentSession).toBe(agentSession("child"));
  expect(journal.sessions.get("child").instructions).toBe(hashOf("one"));
  journal.forget("parent");
  expect(oneOf(answered("1"))).toBe("child");
});

test("a branch has the last 64 points before it", () => {
  for (let index = 1; index <= 40; index++) turn(String(index), { session: "parent" });
  branch("x", { session: "child", branchOf: "parent", follows: answered("40") });
  expect(file.rows("SELECT count(*) FROM points WHERE session = 'child'")).toEqual(["66"]);
  expect(latestOf("child", answered("9"), answered("8"))?.hash).toBe(answered("9"));
  expect(latestOf("child", answered("8"))).toBeUndefined();
});

test("W-6: nobody branches off a session of another API key, or at a point that is not there", () => {
  turn("1", { session: "parent" });
  const order = (options: SubmitOptions) => () => originOf(testSubmit(turnId(0), "x", options), journal);
  const changed = expect.objectContaining({
    error: expect.objectContaining({ code: "history_changed", retryAfterMs: 1_000 }),
  });
  const follows = answered("1");
  expect(order({ session: "new", branchOf: "parent", follows })().kind).toBe("branch");
  const request = { caller: hashOf("somebody else") };
  expect(order({ session: "new", branchOf: "parent", follows, request })).toThrow(changed);
  expect(order({ session: "new", branchOf: "unknown", follows })).toThrow(changed);
  expect(order({ session: "new", branchOf: "parent", follows: answered("2") })).toThrow(changed);
  expect(order({ session: "new", follows })).toThrow(changed);
});

test("points are forgotten with their turns, but never where a session ends", () => {
  for (const name of ["1", "2", "3"]) turn(name);
  turn("4", { session: "b" });
  file.close(journal);
  journal = file.open({ epoch: 2, limits: testLimits({ journalTurns: 1 }) });
  journal.recover();
  expect(file.rows("SELECT session, hash FROM points ORDER BY session, position")).toEqual([
    `b ${asked("4")}`,
    `b ${answered("4")}`,
    `s ${answered("3")}`,
  ]);
  expect(latestOf("s", answered("3"))?.isHead).toBe(true);
});

test("what a stateless turn was run in is no session: not listed, not counted, not found, forgotten first", () => {
  turn("1", { session: "old" });
  const id = turn("2", { session: "aside", isStateless: true, left: { state: "none" } });
  turn("3", { session: "young" });
  file.exec("UPDATE sessions SET used_at = 0 WHERE id = 'old'");
  const { sessions } = journal;
  expect([sessions.find("aside"), sessions.count()]).toEqual([undefined, 2]);
  expect(sessions.list(undefined, 9).map((session) => session.id)).toEqual(["young", "old"]);
  expect(file.rows("SELECT count(*) FROM points WHERE session = 'aside'")).toEqual(["0"]);
  expect(journal.turns.get(id)?.state).toBe("completed");
  sessions.prune(2);
  expect(sessions.list(undefined, 9).map((session) => session.id)).toEqual(["young", "old"]);
  expect(journal.turns.isKnown(id)).toBe(false);
});

test("a branch that never came to life is begun again under another name for its agent", () => {
  turn("1");
  branch("2", { follows: asked("1") });
  const before = agentSession();
  journal.sessions.unmarkAgentStarted("s");
  expect(journal.sessions.get("s")).toMatchObject({ agentStarted: false, origin: { anchor: turnId(1) } });
  expect(agentSession()).not.toBe(before);
});

test("a lost conversation leaves its session with no more than the turn that begins it anew", () => {
  turn("1", { instructions: "one" });
  const id = turnId(9);
  journal.accept(testSubmit(id, "2", { transcript: asked("2") }));
  journal.renew("s", id);
  expect(file.rows("SELECT hash FROM points")).toEqual([asked("2")]);
  expect(journal.sessions.get("s")).toMatchObject({ agentStarted: false, instructions: null });
});
