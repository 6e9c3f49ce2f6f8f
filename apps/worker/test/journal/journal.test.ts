import { randomUUID } from "node:crypto";
import type { TurnEnd } from "@synthesis/protocol";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { Journal } from "../../src/journal/journal.ts";
import type { TurnState } from "../../src/turn/turn-state.ts";
import { JournalFile } from "../support/test-journal.ts";
import { testCaller, testScope, testSubmit, type SubmitOptions } from "../support/test-submit.ts";

let file: JournalFile;
let journal: Journal;
beforeEach(async () => {
  file = await JournalFile.make();
  journal = file.open();
});
afterEach(() => file[Symbol.asyncDispose]());

const error = { code: "turn_failed", message: "no" } as const;
const completed: TurnEnd = { state: "completed", finishReason: "stop" };
const ends: readonly TurnEnd[] = [
  completed,
  { state: "failed", error },
  { state: "cancelled", error },
  { state: "interrupted", error },
];
const headOf = (letter: string) => letter.repeat(64);
const answer = (hash: string) => ({ state: "answer", hash }) as const;
const none = { state: "none" } as const;
const headsOf = (session: string) =>
  file.rows(`SELECT hash FROM points WHERE session = '${session}' AND kind = 'answer' ORDER BY position`);

interface Accepted {
  readonly turn: string;
  readonly session: string;
}

/** A session of its own with one accepted turn. */
function accepted(options: SubmitOptions = {}): Accepted {
  const turn = randomUUID();
  const session = options.session ?? randomUUID();
  journal.accept(testSubmit(turn, "hi", { ...options, session }));
  return { turn, session };
}

function started(options: SubmitOptions = {}): Accepted {
  const { turn, session } = accepted(options);
  journal.start(turn, session);
  return { turn, session };
}

/** A session with one completed turn that left this transcript. */
function completedWith(head: string): string {
  const { turn, session } = started();
  journal.end(session, { turn, end: completed, seq: 1, isVoid: false }, answer(head));
  return session;
}

/** A turn in this state. */
function turnIn(state: TurnState): Accepted {
  if (state === "accepted") return accepted();
  const made = started();
  const end = ends.find((each) => each.state === state);
  if (end) journal.end(made.session, { turn: made.turn, end, seq: 7, isVoid: false }, answer(headOf("a")));
  return made;
}

function moveTo(state: TurnState, { turn, session }: Accepted): void {
  if (state === "accepted") return void journal.accept(testSubmit(turn, "again", { session }));
  if (state === "started") return journal.start(turn, session);
  const end = ends.find((each) => each.state === state);
  if (end) journal.end(session, { turn, end, seq: 9, isVoid: false }, answer(headOf("b")));
}

test("new -> accepted: the session is made with a name for the agent that nothing was begun under", () => {
  const { session } = accepted();
  expect(journal.sessions.find(session)).toEqual({
    id: session,
    key: `claude::${session}`,
    agent: "claude",
    caller: testCaller,
    scope: testScope,
    instructions: null,
    agentSession: expect.stringMatching(/^[0-9a-f-]{36}$/),
    agentStarted: false,
    createdAt: expect.any(Number),
    usedAt: expect.any(Number),
  });
});

test("new -> accepted: a known session keeps its name for the agent, and counts as used", () => {
  const { session } = accepted();
  file.exec("UPDATE sessions SET used_at = 1, created_at = 1");
  const name = journal.sessions.get(session).agentSession;
  accepted({ session });
  expect(journal.sessions.get(session)).toMatchObject({ agentSession: name, createdAt: 1 });
  expect(journal.sessions.get(session).usedAt).toBeGreaterThan(1);
});

test("accepted -> started: the agent's session counts as begun", () => {
  const { session } = started();
  expect(journal.sessions.get(session).agentStarted).toBe(true);
});

test.for(ends.filter(({ state }) => state !== "completed"))("accepted -> $state is written", (end) => {
  const { turn, session } = accepted();
  journal.end(session, { turn, end, seq: 1, isVoid: false }, none);
  expect(journal.turns.get(turn)).toMatchObject({ state: end.state, seq: 1, end });
  expect(journal.sessions.get(session).agentStarted).toBe(false);
  expect(journal.points.hasAny(session)).toBe(false);
});

test.for(ends)("started -> $state is written with its number and the transcript it left", (end) => {
  const { turn, session } = started();
  journal.end(session, { turn, end, seq: 5, isVoid: false }, answer(headOf("a")));
  const endedAt = expect.any(Number);
  expect(journal.turns.get(turn)).toMatchObject({ state: end.state, seq: 5, end, endedAt });
  expect(headsOf(session)).toEqual([headOf("a")]);
});

const illegal: readonly (readonly [TurnState, TurnState])[] = [
  ["accepted", "accepted"],
  ["accepted", "completed"],
  ["started", "accepted"],
  ["started", "started"],
  ...ends.flatMap(({ state: from }) =>
    (["accepted", "started", ...ends.map(({ state }) => state)] as const).map((to) => [from, to] as const),
  ),
];

test.for(illegal)("%s -> %s is no edge, and changes nothing", ([from, to]) => {
  const made = turnIn(from);
  const before = [journal.turns.get(made.turn), journal.sessions.get(made.session)];
  expect(() => moveTo(to, made)).toThrow(to === "accepted" ? "UNIQUE" : `${made.turn} cannot become ${to}`);
  expect([journal.turns.get(made.turn), journal.sessions.get(made.session)]).toEqual(before);
});

test("an unknown turn has no edges", () => {
  for (const state of ["started", "completed", "failed"] as const)
    expect(() => moveTo(state, { turn: "unknown", session: "s" })).toThrow(`unknown cannot become ${state}`);
});

test("a turn that is not accepted leaves no session either", () => {
  const { turn } = accepted();
  const session = randomUUID();
  expect(() => journal.accept(testSubmit(turn, "again", { session }))).toThrow("UNIQUE");
  expect(journal.sessions.find(session)).toBeUndefined();
});

test("an open turn has all that is needed to run it, an ended one no prompt any more", () => {
  const order = testSubmit(randomUUID(), "secret", {
    needsMemory: true,
    model: "opus",
    follows: headOf("1"),
  });
  journal.accept(order);
  const { turn, session } = started();
  expect(journal.turns.open()).toMatchObject([
    { order, state: "accepted", resumes: 0 },
    { state: "started" },
  ]);
  journal.turns.noteResume(turn);
  expect(journal.turns.open()[1]?.resumes).toBe(1);
  journal.end("s", { turn: order.turn, end: { state: "failed", error }, seq: 1, isVoid: false }, none);
  journal.end(session, { turn, end: completed, seq: 1, isVoid: false }, none);
  expect(journal.turns.open()).toEqual([]);
  expect(file.rows("SELECT count(*) FROM turns WHERE submit_frame IS NOT NULL")).toEqual(["0"]);
});

test("a renewed session goes on under another name, its transcript kept", () => {
  const session = completedWith(headOf("c"));
  const before = journal.sessions.get(session);
  const after = journal.sessions.renewAgentSession(session);
  expect(after).toEqual({ ...before, agentSession: expect.any(String), agentStarted: false });
  expect(after.agentSession).not.toBe(before.agentSession);
  expect(() => journal.sessions.renewAgentSession("unknown")).toThrow(
    "session unknown is not in the journal",
  );
});

test("sessions are listed for their API key, the last used first, and forgotten with their turns", () => {
  const other = { request: { caller: headOf("1") } };
  accepted({ session: "a" });
  const { turn } = accepted({ session: "b", ...other });
  accepted({ session: "c" });
  file.exec("UPDATE sessions SET used_at = unicode(id)");
  const listed = (caller?: string, max = 9) => journal.sessions.list(caller, max).map(({ id }) => id);
  expect([listed(testCaller), listed(headOf("1")), listed(), listed(undefined, 1)]).toEqual([
    ["c", "a"],
    ["b"],
    ["c", "b", "a"],
    ["c"],
  ]);
  journal.events.append([{ turn, event: { seq: 1, kind: "text", text: "hi" } }]);
  expect(journal.sessions.delete("b")).toBe(true);
  expect(journal.sessions.delete("b")).toBe(false);
  expect([journal.turns.isKnown(turn), journal.events.lastSeq(turn)]).toEqual([false, 0]);
});

test("a session's turns are told in the order they were accepted", () => {
  const turns = [started({ session: "s" }), accepted({ session: "s" })].map(({ turn }) => turn);
  accepted();
  file.exec("UPDATE turns SET accepted_at = rowid");
  expect(journal.turns.ofSession("s", 9).map(({ turn, state }) => [turn, state])).toEqual([
    [turns[0], "started"],
    [turns[1], "accepted"],
  ]);
});
