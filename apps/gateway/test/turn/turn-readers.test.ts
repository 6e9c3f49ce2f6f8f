import { expect, test } from "vitest";
import type { AnswerOutput } from "../../src/turn/answer-output.ts";
import { TurnReaders, type TurnReader } from "../../src/turn/turn-readers.ts";

const facts = { turn: "t", session: "s", rule: "new", position: 0 };

/** A client that has joined, and what it is told. */
function joined(seq = 0): { readonly reader: TurnReader; readonly told: string[] } {
  const told: string[] = [];
  const output: AnswerOutput = {
    admitted: () => told.push("admitted"),
    sessionReset: (why) => told.push(`reset ${why}`),
    text: (text, number) => told.push(`${number} ${text}`),
    reasoning: (text, number) => told.push(`${number} (${text})`),
    completed: (_end, number) => told.push(`${number} completed`),
    failed: ({ code }) => told.push(code),
  };
  return { reader: { output, onVanish: "cancel", facts, state: "joined", seq }, told };
}

test("who joins in the moment of the first event, or of the end, is told first which turn it is", () => {
  const readers = new TurnReaders();
  const { reader, told } = joined();
  readers.add(reader);
  readers.event("text", 1, "a"); // the answer to an earlier follow
  readers.admit();
  readers.ended(2, { state: "completed", finishReason: "stop" });
  expect(told).toEqual(["admitted", "1 a", "2 completed"]);

  const late = joined(1);
  readers.add(late.reader);
  readers.ended(2, { state: "completed", finishReason: "stop" });
  expect(late.told).toEqual(["admitted", "2 completed"]);
});

test("each is told each event once and in order, also when they come again (W-10)", () => {
  const readers = new TurnReaders();
  const [first, second] = [joined(), joined()];
  readers.add(first.reader);
  readers.event("text", 1, "a");
  readers.add(second.reader);
  readers.event("text", 2, "b"); // nothing for the second: it lacks the first
  expect([readers.lowestSeq, readers.latestSeq]).toEqual([0, 2]);
  for (const [seq, text] of ["a", "b", "c"].entries()) readers.event("text", seq + 1, text);
  readers.ended(4, { state: "completed", finishReason: "stop" });
  const all = ["admitted", "1 a", "2 b", "3 c", "4 completed"];
  expect([first.told, second.told]).toEqual([all, all]);
});

test("who lacks an event is never told a clean end", () => {
  const readers = new TurnReaders();
  const { reader, told } = joined();
  readers.add(reader);
  readers.event("text", 2, "b");
  readers.ended(3, { state: "completed", finishReason: "stop" });
  expect(told).toEqual(["admitted", "turn_gone"]);
});
