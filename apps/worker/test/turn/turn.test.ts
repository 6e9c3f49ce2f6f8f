import { DatabaseSync } from "node:sqlite";
import { EMPTY_TRANSCRIPT, rollTranscript, WireFailure, type TurnEnd } from "@synthesis/protocol";
import { tempFolder, type TempFolder } from "@synthesis/testkit";
import { afterEach, beforeEach, expect, test } from "vitest";
import { Journal } from "../../src/journal/journal.ts";
import { Turn } from "../../src/turn/turn.ts";
import { LogRecorder } from "../support/log-recorder.ts";
import { RecordedTurn } from "../support/recorded-turn.ts";
import { testSubmit, type SubmitOptions } from "../support/test-workspace.ts";

let folder: TempFolder;
let journal: Journal;
let closeJournal: () => void;
beforeEach(async () => {
  folder = await tempFolder();
  journal = new Journal(
    folder.join("journal.sqlite"),
    { sessions: 100, journalTurns: 100 },
    new LogRecorder(),
  );
  let isOpen = true;
  closeJournal = () => {
    if (isOpen) journal.close();
    isOpen = false;
  };
});
afterEach(async () => {
  closeJournal();
  await folder[Symbol.asyncDispose]();
});

const completed: TurnEnd = { state: "completed", finishReason: "stop" };
const failed: TurnEnd = { state: "failed", error: { code: "turn_failed", message: "no" } };

function makeTurn(options: SubmitOptions = {}) {
  const sink = new RecordedTurn();
  const log = new LogRecorder();
  const turn = new Turn({
    order: testSubmit(sink.id, "hi", options),
    sink,
    cancel: new AbortController().signal,
    journal,
    log,
    onOver: () => sink.events.push("over"),
  });
  return { turn, sink, log };
}

/** SQLite fails from now on. */
function breakJournal(): void {
  const other = new DatabaseSync(folder.join("journal.sqlite"));
  other.exec("DROP TABLE turns; DROP TABLE sessions;");
  other.close();
}

function errorFrom(act: () => unknown): unknown {
  try {
    act();
  } catch (error) {
    return error;
  }
  throw new Error("it did not throw");
}

/** The transcript after the answer `text` to "hi". */
const headWith = (text: string) =>
  rollTranscript(rollTranscript(EMPTY_TRANSCRIPT, "user", "hi"), "assistant", text);

test("accepted -> started -> completed: each edge is journaled, the end is told last", () => {
  const { turn, sink } = makeTurn();
  expect(turn.accept().agentStarted).toBe(false);
  turn.start();
  expect(journal.session("s")?.agentStarted).toBe(true);
  turn.text("one ");
  turn.text("two");
  turn.end(completed);
  expect(sink.events).toEqual(["accepted", "text:one ", "text:two", "over", "completed"]);
  expect(journal.session("s")?.head).toBe(headWith("one two"));
});

test("a second start, after the agent lost its conversation, is journaled once", () => {
  const { turn } = makeTurn();
  turn.accept();
  turn.start();
  expect(() => turn.start()).not.toThrow();
});

test("a turn that failed without a word leaves the transcript, one with words changes it", () => {
  const silent = makeTurn();
  silent.turn.accept();
  silent.turn.end(failed);
  expect(journal.session("s")?.head).toBeNull();
  const talking = makeTurn();
  talking.turn.accept();
  talking.turn.start();
  talking.turn.text("half");
  talking.turn.end(failed);
  expect(journal.session("s")?.head).toBe(headWith("half"));
});

test("a completed turn without a word changes the transcript too", () => {
  const { turn } = makeTurn();
  turn.accept();
  turn.start();
  turn.end(completed);
  expect(journal.session("s")?.head).toBe(headWith(""));
});

test("a refused turn tells its failure and is not journaled", async () => {
  const { turn, sink } = makeTurn();
  turn.refuse(new WireFailure("queue_full", "full", { retryAfterMs: 5 }));
  expect(sink.events).toEqual(["over", "refused"]);
  expect(await sink.outcome).toMatchObject({ error: { code: "queue_full", retryAfterMs: 5 } });
  expect(journal.session("s")).toBeUndefined();
});

test("where the journal cannot be written a turn is not accepted, and refused as worker_unavailable", async () => {
  const { turn, sink } = makeTurn();
  breakJournal();
  const failure = errorFrom(() => turn.accept());
  expect(failure).toMatchObject({ message: expect.stringContaining("no such table") as string });
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
});

test("any other failure is a fault of the worker, and trying again is no remedy", async () => {
  const { turn, sink, log } = makeTurn();
  closeJournal();
  const failure = errorFrom(() => turn.accept());
  turn.refuse(failure);
  const error = { code: "internal_error", message: "the worker failed: see its log" };
  expect(await sink.outcome).toEqual({ state: "refused", error });
  expect(turn.failed(failure)).toEqual({ state: "failed", error });
  expect(log.fieldsOf("turn.not_run")).toMatchObject([
    { cause: expect.stringContaining("database is not open") as string },
  ]);
});

const busy: TurnEnd = {
  state: "failed",
  error: { code: "upstream_overloaded", message: "busy", retryAfterMs: 10_000 },
};

test.for<[title: string, act: (turn: Turn) => void, retryAfterMs: number | undefined]>([
  ["nothing", () => {}, 10_000],
  ["text", (turn) => turn.text("half"), undefined],
  ["a thought or a tool call", (turn) => turn.reasoning("[Bash]\n"), undefined],
])("after %s a failure is repeated only if it had no effects", async ([, act, retryAfterMs]) => {
  const { turn, sink } = makeTurn();
  turn.accept();
  turn.start();
  act(turn);
  turn.end(busy);
  const retry = retryAfterMs === undefined ? {} : { retryAfterMs };
  const error = { code: "upstream_overloaded", message: "busy", ...retry };
  expect(await sink.outcome).toEqual({ state: "failed", error });
});

test("a turn without a transcript leaves none", () => {
  const { turn } = makeTurn({ transcript: undefined });
  turn.accept();
  turn.start();
  turn.text("one");
  turn.end(completed);
  expect(journal.session("s")?.head).toBeNull();
});

test("where the end cannot be journaled it is told all the same", async () => {
  const { turn, sink, log } = makeTurn();
  turn.accept();
  turn.start();
  closeJournal();
  turn.end(completed);
  expect(await sink.outcome).toEqual(completed);
  expect(log.fieldsOf("journal.write_failed")).toHaveLength(1);
});
