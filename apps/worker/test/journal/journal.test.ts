import { randomUUID } from "node:crypto";
import type { TurnEnd } from "@synthesis/protocol";
import { tempFolder } from "@synthesis/testkit";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Journal } from "../../src/journal/journal.ts";
import { LogRecorder } from "../support/log-recorder.ts";
import { testScope, testSubmit, type SubmitOptions } from "../support/test-workspace.ts";

const folder = await tempFolder();
let journal: Journal;
beforeAll(() => {
  journal = new Journal(
    folder.join("journal.sqlite"),
    { sessions: 100, journalTurns: 100 },
    new LogRecorder(),
  );
});
afterAll(async () => {
  journal.close();
  await folder[Symbol.asyncDispose]();
});

const error = { code: "turn_failed", message: "no" } as const;
const ends: readonly TurnEnd[] = [
  { state: "completed", finishReason: "stop" },
  { state: "failed", error },
  { state: "cancelled", error },
  { state: "interrupted", error },
];
const headOf = (letter: string) => letter.repeat(64);

/** A session of its own with one accepted turn. */
function accepted(options: SubmitOptions = {}): { readonly turn: string; readonly session: string } {
  const turn = randomUUID();
  const session = options.session ?? randomUUID();
  journal.accept(testSubmit(turn, "hi", { ...options, session }));
  return { turn, session };
}

/** A session with one completed turn that left this transcript. */
function completed(head: string | undefined): string {
  const { turn, session } = accepted();
  journal.start(turn, session);
  journal.end(turn, session, { state: "completed", finishReason: "stop" }, head);
  return session;
}

test("new -> accepted: the session is made with a name for the agent that nothing was begun under", () => {
  const { session } = accepted();
  expect(journal.session(session)).toEqual({
    id: session,
    agent: "claude",
    head: null,
    agentSession: expect.stringMatching(/^[0-9a-f-]{36}$/),
    agentStarted: false,
  });
});

test("new -> accepted: a known session keeps its name for the agent", () => {
  const { session } = accepted();
  const name = journal.session(session)?.agentSession;
  accepted({ session });
  expect(journal.session(session)?.agentSession).toBe(name);
});

test("accepted -> started: the agent's session counts as begun", () => {
  const { turn, session } = accepted();
  journal.start(turn, session);
  expect(journal.session(session)?.agentStarted).toBe(true);
});

test.for(ends.filter(({ state }) => state !== "completed"))("accepted -> $state is written", (end) => {
  const { turn, session } = accepted();
  journal.end(turn, session, end, undefined);
  expect(journal.session(session)).toMatchObject({ head: null, agentStarted: false });
});

test.for(ends)("started -> $state is written with the transcript it left", (end) => {
  const { turn, session } = accepted();
  journal.start(turn, session);
  journal.end(turn, session, end, headOf("a"));
  expect(journal.session(session)?.head).toBe(headOf("a"));
});

test("accepted -> completed is no edge", () => {
  const { turn, session } = accepted();
  expect(() => journal.end(turn, session, { state: "completed", finishReason: "stop" }, undefined)).toThrow(
    `turn ${turn} cannot become completed: it is not started`,
  );
});

test("started -> started is no edge", () => {
  const { turn, session } = accepted();
  journal.start(turn, session);
  expect(() => journal.start(turn, session)).toThrow("cannot become started");
});

test.for(ends.flatMap((first) => ends.map((second) => ({ first, second }))))(
  "$first.state -> $second.state is no edge, and the transcript stays",
  ({ first, second }) => {
    const { turn, session } = accepted();
    journal.start(turn, session);
    journal.end(turn, session, first, headOf("a"));
    expect(() => journal.end(turn, session, second, headOf("b"))).toThrow("cannot become");
    expect(() => journal.start(turn, session)).toThrow("cannot become");
    expect(journal.session(session)?.head).toBe(headOf("a"));
  },
);

test("an unknown turn has no edges", () => {
  expect(() => journal.start("unknown", "s")).toThrow("turn unknown cannot become started");
});

test("a turn is accepted once, and a second time changes nothing", () => {
  const { turn } = accepted();
  const other = randomUUID();
  expect(() => journal.accept(testSubmit(turn, "again", { session: other }))).toThrow("is known already");
  expect(journal.session(other)).toBeUndefined();
});

test("a renewed session goes on under another name, its transcript kept", () => {
  const session = completed(headOf("c"));
  const before = journal.session(session);
  const after = journal.renewAgentSession(session);
  expect(after).toEqual({ ...before, agentSession: expect.any(String), agentStarted: false });
  expect(after.agentSession).not.toBe(before?.agentSession);
  expect(() => journal.renewAgentSession("unknown")).toThrow("session unknown is not in the journal");
});

test("a session is located by its transcript within its scope", () => {
  const session = completed(headOf("d"));
  expect(journal.sessionByHead(testScope, headOf("d"))).toBe(session);
  expect(journal.sessionByHead(headOf("0"), headOf("d"))).toBeUndefined();
  expect(journal.sessionByHead(testScope, headOf("e"))).toBeUndefined();
});

test("of two sessions with the same transcript none is located", () => {
  completed(headOf("f"));
  completed(headOf("f"));
  expect(journal.sessionByHead(testScope, headOf("f"))).toBeUndefined();
});

test("an end without a transcript leaves the one before", () => {
  const session = completed(headOf("9"));
  const { turn } = accepted({ session });
  journal.end(turn, session, { state: "failed", error }, undefined);
  expect(journal.session(session)?.head).toBe(headOf("9"));
});
