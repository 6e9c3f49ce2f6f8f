import { EMPTY_TRANSCRIPT, rollAnswer, rollTranscript, WireFailure, type TurnEnd } from "@synthesis/protocol";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { Journal } from "../../src/journal/journal.ts";
import { TurnOutput } from "../../src/turn/turn-output.ts";
import { Turn } from "../../src/turn/turn.ts";
import { FailingDisk } from "../support/failing-disk.ts";
import { LogRecorder } from "../support/log-recorder.ts";
import { RecordedTurn } from "../support/recorded-turn.ts";
import { JournalFile } from "../support/test-journal.ts";
import { hashOf, testSubmit, type SubmitOptions } from "../support/test-submit.ts";

let file: JournalFile;
let journal: Journal;
let output: TurnOutput;
beforeEach(async () => {
  file = await JournalFile.make();
  journal = file.open();
  output = new TurnOutput(journal.events, 1024 * 1024, new LogRecorder());
});
afterEach(() => file[Symbol.asyncDispose]());

const completed: TurnEnd = { state: "completed", finishReason: "stop" };
const failed: TurnEnd = { state: "failed", error: { code: "turn_failed", message: "no" } };
/** The latest of the transcript's points that a turn which is over left, and what it is after. */
const head = () =>
  file.rows(
    "SELECT kind, hash FROM points JOIN turns ON turns.id = turn WHERE ended_at IS NOT NULL ORDER BY position DESC LIMIT 1",
  )[0];

function makeTurn(options: SubmitOptions = {}) {
  const sink = new RecordedTurn();
  const log = new LogRecorder();
  const turn = new Turn({
    order: testSubmit(sink.id, "hi", options),
    journal,
    output,
    log,
    onOver: () => sink.events.push("over"),
  });
  turn.follow(sink, 0);
  return { turn, sink, log };
}

/** A turn that runs. */
function makeStarted(options: SubmitOptions = {}) {
  const made = makeTurn(options);
  made.turn.accept();
  made.turn.start();
  return made;
}

function errorFrom(act: () => unknown): unknown {
  try {
    act();
  } catch (error) {
    return error;
  }
  throw new Error("it did not throw");
}

const asked = rollTranscript(EMPTY_TRANSCRIPT, "user", "hi");
/** The transcript after the answer `text` to "hi". */
const headWith = (text: string) => `answer ${rollAnswer(asked, text, [])}`;

test("accepted -> started -> completed: each edge is journaled, the end is told last", () => {
  const { turn, sink } = makeTurn();
  expect([turn.state, journal.turns.isKnown(turn.id)]).toEqual(["waiting", false]);
  expect(turn.accept().agentStarted).toBe(false);
  expect([turn.state, journal.turns.get(turn.id)?.state]).toEqual(["accepted", "accepted"]);
  turn.start();
  expect([turn.state, journal.turns.get(turn.id)?.state]).toEqual(["started", "started"]);
  expect(journal.sessions.get("s").agentStarted).toBe(true);
  turn.say({ kind: "text", text: "one " });
  turn.say({ kind: "text", text: "two" });
  turn.end(completed);
  expect(sink.events).toEqual(["accepted", "text:one two", "over", "completed"]);
  expect(sink.numbers).toEqual([1, 2]);
  expect(journal.turns.get(turn.id)).toMatchObject({ state: "completed", seq: 2, end: completed });
  expect([turn.state, head()]).toEqual(["over", headWith("one two")]);
});

test.for<[mustCall: object, called: string[], state: string]>([
  [{}, ["stop"], "completed"],
  [{}, [], "failed"],
  [{ name: "read" }, ["stop", "read"], "completed"],
  [{ name: "read" }, ["stop"], "failed"],
])("of a turn that must call %j, one that calls %j is %s, now and later", ([mustCall, called, state]) => {
  const { turn, sink } = makeStarted({ mustCall });
  turn.say({ kind: "text", text: "well" });
  for (const [index, name] of called.entries())
    turn.say({ kind: "tool_call", call: { index, id: `toolu${index}`, name, arguments: "{}" } });
  turn.end({ state: "completed", finishReason: called.length === 0 ? "stop" : "tool_calls" });
  expect(sink.events.at(-1)).toBe(state);
  const unmet = { end: { error: { code: "tool_choice_unmet" } } };
  expect(journal.turns.get(turn.id)).toMatchObject({ state, ...(state === "failed" ? unmet : {}) });
});

test("a turn that must call a function and failed is told its own failure", () => {
  const { turn } = makeStarted({ mustCall: {} });
  turn.end(failed);
  expect(journal.turns.get(turn.id)).toMatchObject({ end: failed });
});

test("a second start, after the agent lost its conversation, is journaled once", () => {
  const { turn } = makeStarted();
  journal.sessions.renewAgentSession("s");
  turn.start();
  expect(journal.sessions.get("s").agentStarted).toBe(true);
});

test("a turn that failed without anything leaves no point, one that did something what the client said", () => {
  makeStarted().turn.end(failed);
  expect(head()).toBeUndefined();
  const silent = makeStarted();
  silent.turn.say({ kind: "reasoning", text: "[Bash]\n" });
  silent.turn.end(failed);
  expect(head()).toBe(`prompt ${asked}`);
});

test.for(["cancelled", "interrupted"] as const)(
  "of a turn that was %s the prompt is left if its agent was told it, and the answer as far as it came",
  (state) => {
    const cut: TurnEnd = { state, error: { code: "turn_cancelled", message: "no" } };
    const { turn } = makeTurn();
    turn.accept();
    turn.end(cut);
    expect(head()).toBeUndefined();
    const unread = makeStarted();
    unread.turn.untold();
    unread.turn.end(cut);
    expect(head()).toBeUndefined();
    makeStarted().turn.end(cut);
    expect(head()).toBe(`prompt ${asked}`);
    const talking = makeStarted();
    talking.turn.say({ kind: "text", text: "half" });
    talking.turn.end(cut);
    expect(head()).toBe(headWith("half"));
  },
);

test("a stateless turn leaves no point", () => {
  const { turn } = makeStarted({ isStateless: true });
  turn.say({ kind: "text", text: "aside" });
  turn.end(completed);
  expect(file.rows("SELECT * FROM points")).toEqual([]);
});

test("the calls of an answer belong to its transcript, in whatever pieces they came", () => {
  const { turn } = makeStarted();
  turn.say({ kind: "text", text: "let me see" });
  turn.say({ kind: "tool_call", call: { index: 0, id: "toolu1", name: "look", arguments: "" } });
  turn.say({ kind: "tool_call", call: { index: 1, id: "toolu2", name: "ask", arguments: '{"b":1,' } });
  turn.say({ kind: "tool_call", call: { index: 0, arguments: '{"at": "it"}' } });
  turn.say({ kind: "tool_call", call: { index: 1, arguments: '"a":2}' } });
  turn.end({ state: "completed", finishReason: "tool_calls" });
  const calls = [
    { id: "toolu_1", name: "look", arguments: '{"at":"it"}' },
    { id: "toolu_2", name: "ask", arguments: '{"a":2,"b":1}' },
  ];
  expect(head()).toBe(`answer ${rollAnswer(asked, "let me see", calls)}`);
  expect(journal.events.after(turn.id, 0).map(({ kind }) => kind)).toEqual([
    "text",
    ...Array<string>(4).fill("tool_call"),
  ]);
});

test("a turn with calls has had effects, and no other process finishes it", async () => {
  const { turn, sink } = makeStarted();
  expect(turn.canBeFinished).toBe(true);
  turn.say({ kind: "tool_call", call: { index: 0, id: "toolu1", name: "look", arguments: "{}" } });
  expect([turn.isActive, turn.canBeFinished]).toEqual([true, false]);
  turn.end(busy);
  expect(await sink.outcome).toEqual({ state: "failed", error: { code: busy.error.code, message: "busy" } });
});

test("what else was said in a turn is told with the number before it, and leaves a transcript nobody knows", async () => {
  const { turn } = makeStarted();
  const said: string[] = [];
  turn.runsOn({
    steer: async (message) => {
      said.push(message);
      turn.say({ kind: "text", text: "one" });
      turn.steered(message);
      turn.say({ kind: "text", text: "two" });
      return true;
    },
    withdrawSteer: (message) => void said.push(`not ${message}`),
  });
  expect(await turn.steers.say("m", "also this")).toBe(1);
  turn.steers.withdraw("m");
  turn.runsOn({ steer: async () => false, withdrawSteer: () => {} });
  expect(await turn.steers.say("n", "and this")).toBeUndefined();
  turn.runsOn(undefined);
  expect(await turn.steers.say("o", "too late")).toBeUndefined();
  turn.end(completed);
  expect([said, head()]).toEqual([["m", "not m"], "answer "]);
});

test("the client's instructions are remembered once their turn was told, and with each point", () => {
  const told = () => journal.sessions.get("s").instructions;
  const first = makeStarted({ instructions: "be brief" });
  first.turn.end(failed);
  expect(told()).toBeNull();
  makeStarted({ instructions: "be brief" }).turn.end(completed);
  expect(told()).toBe(hashOf("be brief"));
  makeStarted().turn.end(completed);
  expect(told()).toBe(hashOf("be brief"));
  expect(new Set(file.rows("SELECT instructions FROM points"))).toEqual(new Set([hashOf("be brief")]));
  journal.sessions.renewAgentSession("s");
  expect(told()).toBeNull();
});

test("a completed turn without a word changes the transcript too", () => {
  makeStarted().turn.end(completed);
  expect(head()).toBe(headWith(""));
});

test("a turn without a transcript leaves a point that nobody can name", () => {
  const { turn } = makeStarted({ transcript: undefined });
  turn.say({ kind: "text", text: "one" });
  turn.end(completed);
  expect(head()).toBe("answer ");
});

test("a refused turn tells its failure and is not journaled", async () => {
  const { turn, sink } = makeTurn();
  turn.refuse(new WireFailure("queue_full", "full", { retryAfterMs: 5 }));
  expect(sink.events).toEqual(["over", "refused"]);
  expect(await sink.outcome).toMatchObject({ error: { code: "queue_full", retryAfterMs: 5 } });
  expect([journal.turns.isKnown(turn.id), journal.sessions.find("s")]).toEqual([false, undefined]);
});

test("why a session was begun anew is told with the acceptance, to who follows later too", () => {
  const { turn, sink } = makeTurn();
  turn.accept({ reset: "its transcript is missing" });
  const late = new RecordedTurn(turn.id);
  turn.follow(late, 0);
  expect([sink.reset, late.reset]).toEqual(["its transcript is missing", "its transcript is missing"]);
  turn.end(failed);
});

test.for([0, 1, 2, 3])("who follows after event %i is told the rest, once, and what comes", (after) => {
  const { turn, sink } = makeStarted();
  turn.say({ kind: "reasoning", text: "[Bash]\n" });
  turn.say({ kind: "text", text: "one " });
  turn.say({ kind: "reasoning", text: "[Read]\n" });
  const late = new RecordedTurn(turn.id);
  turn.follow(late, after);
  turn.say({ kind: "text", text: "two" });
  turn.end(completed);
  expect(late.numbers).toEqual([1, 2, 3, 4, 5].slice(after));
  expect(late.events).toEqual(["accepted", ...(after < 2 ? ["text:one "] : []), "text:two", "completed"]);
  expect(sink.numbers).toEqual([1, 2, 3, 4, 5]);
});

test("who follows a second time begins anew from there, and is not told twice from then on", () => {
  const { turn, sink } = makeStarted();
  turn.say({ kind: "text", text: "one " });
  turn.follow(sink, 0);
  turn.say({ kind: "text", text: "two" });
  turn.end(completed);
  expect(sink.events.slice(-5)).toEqual(["accepted", "text:one ", "text:two", "over", "completed"]);
  expect(sink.numbers.slice(-3)).toEqual([1, 2, 3]);
});

test("who asks for what is not kept any more is told so, and nothing else", () => {
  const { turn, sink } = makeStarted();
  turn.say({ kind: "text", text: "one " });
  output.flush();
  journal.events.dropUpTo(turn.id, 1);
  turn.say({ kind: "text", text: "two" });
  sink.events.length = 0;
  turn.follow(sink, 0);
  turn.end(completed);
  expect(sink.events).toEqual(["gone", "over"]);
});

test("who does not follow any more is told nothing", () => {
  const { turn, sink } = makeStarted();
  expect(turn.isFollowed).toBe(true);
  turn.unfollow(sink);
  expect(turn.isFollowed).toBe(false);
  turn.say({ kind: "text", text: "one" });
  turn.end(completed);
  expect(sink.events).toEqual(["accepted", "over"]);
  expect(journal.turns.get(turn.id)).toMatchObject({ state: "completed", seq: 2 });
});

test("a turn that is left has no end, and all it said stands in the journal", () => {
  const { turn, sink } = makeStarted();
  turn.say({ kind: "text", text: "half" });
  turn.leave();
  expect(sink.events).toEqual(["accepted", "text:half", "over"]);
  expect(journal.turns.open()).toMatchObject([{ state: "started", order: { turn: turn.id } }]);
});

test("a turn that was left goes on where it was", async () => {
  const before = makeStarted();
  before.turn.say({ kind: "text", text: "one " });
  before.turn.leave();
  const sink = new RecordedTurn(before.turn.id);
  const turn = new Turn({
    order: before.turn.order,
    left: { order: before.turn.order, state: "started", resumes: 1, takeUps: 0 },
    journal,
    output,
    log: new LogRecorder(),
    onOver: () => {},
  });
  expect([turn.state, turn.shown, turn.resumes]).toEqual(["started", "one ", 1]);
  turn.follow(sink, 0);
  turn.start();
  turn.say({ kind: "text", text: "two" });
  turn.end(busy);
  expect(sink.numbers).toEqual([1, 2, 3]);
  expect(await sink.outcome).toEqual({ state: "failed", error: { code: busy.error.code, message: "busy" } });
  expect(head()).toBe(headWith("one two"));
});

test("each resume is journaled", () => {
  const { turn } = makeStarted();
  turn.resume();
  expect([turn.resumes, journal.turns.open()[0]?.resumes]).toEqual([1, 1]);
});

test("where the disk is full a turn is not accepted, and refused as worker_unavailable", async () => {
  using disk = new FailingDisk();
  const { turn, sink } = makeTurn();
  disk.fill();
  const failure = errorFrom(() => turn.accept());
  turn.refuse(failure);
  expect(await sink.outcome).toMatchObject({
    state: "refused",
    error: {
      code: "worker_unavailable",
      message: expect.stringContaining("journal cannot be written") as string,
      retryAfterMs: 5_000,
    },
  });
  expect(turn.failed(failure)).toMatchObject({ state: "failed", error: { code: "worker_unavailable" } });
  expect(journal.turns.isKnown(turn.id)).toBe(false);
});

test("any other failure is a fault of the worker, and trying again is no remedy", async () => {
  const { turn, sink, log } = makeTurn();
  file.close(journal);
  const failure = errorFrom(() => turn.accept());
  turn.refuse(failure);
  const error = { code: "internal_error", message: "the worker failed: see its log" };
  expect(await sink.outcome).toEqual({ state: "refused", error });
  expect(turn.failed(failure)).toEqual({ state: "failed", error });
  expect(log.fieldsOf("turn.not_run")).toMatchObject([
    { cause: expect.stringContaining("database is not open") as string },
  ]);
});

const busy = {
  state: "failed",
  error: { code: "upstream_overloaded", message: "busy", retryAfterMs: 10_000 },
} as const satisfies TurnEnd;

test.for<[title: string, act: (turn: Turn) => void, retryAfterMs: number | undefined]>([
  ["nothing", () => {}, 10_000],
  ["text", (turn) => turn.say({ kind: "text", text: "half" }), undefined],
  ["a thought or a tool call", (turn) => turn.say({ kind: "reasoning", text: "[Bash]\n" }), undefined],
])("after %s a failure is repeated only if it had no effects", async ([, act, retryAfterMs]) => {
  const { turn, sink } = makeStarted();
  act(turn);
  turn.end(busy);
  const retry = retryAfterMs === undefined ? {} : { retryAfterMs };
  const error = { code: "upstream_overloaded", message: "busy", ...retry };
  expect(await sink.outcome).toEqual({ state: "failed", error });
});

test("where the end cannot be journaled it is told all the same, and owed", async () => {
  using disk = new FailingDisk();
  const { turn, sink, log } = makeStarted();
  turn.say({ kind: "text", text: "one" });
  disk.fill();
  turn.end(completed);
  expect(await sink.outcome).toEqual(completed);
  expect(log.fieldsOf("journal.write_failed")).toHaveLength(1);
  expect(errorFrom(() => makeTurn().turn.accept())).toMatchObject({ errcode: 13 });
  expect(journal.turns.get(turn.id)?.state).toBe("started");
  disk.recover();
  makeTurn().turn.accept();
  expect(journal.turns.get(turn.id)).toMatchObject({ state: "completed", seq: 2, end: completed });
  expect(head()).toBe(headWith("one"));
});

test("an end that is owed is written when the journal is closed", () => {
  using disk = new FailingDisk();
  const { turn } = makeStarted();
  disk.fill();
  turn.end(completed);
  disk.recover();
  file.close(journal);
  expect(file.rows("SELECT state FROM turns")).toEqual(["completed"]);
});

test("an end that is owed to a session that is no more keeps no other turn from being accepted", () => {
  using disk = new FailingDisk();
  const { turn } = makeStarted({ session: "deleted" });
  disk.fill();
  turn.end(completed);
  disk.recover();
  journal.sessions.delete("deleted");
  expect(() => makeTurn().turn.accept()).not.toThrow();
});

test("a turn whose failure stands in no journal is not to be repeated: the next worker may run it", async () => {
  using disk = new FailingDisk();
  const { turn, sink } = makeTurn();
  turn.accept();
  disk.fill();
  turn.end(turn.failed(errorFrom(() => turn.start())));
  const error = { code: "worker_unavailable", message: expect.any(String) as string };
  expect(await sink.outcome).toEqual({ state: "failed", error });
});
