import { expect, test } from "vitest";
import type { AnswerOutput } from "../../src/answer/answer-output.ts";
import { TurnReaders, type TurnReader } from "../../src/turn/turn-readers.ts";
import type { TurnEvent } from "../../src/worker/turn-listener.ts";

const facts = { turn: "t", session: "s", rule: "new", position: 0 };

function delta(seq: number, text: string): TurnEvent {
  return { type: "delta", turn: "t", seq, text };
}

/** A client that has joined, and what it is told. */
function joined(seq = 0): { readonly reader: TurnReader; readonly told: string[] } {
  const told: string[] = [];
  const output: AnswerOutput = {
    admitted: () => told.push("admitted"),
    sessionReset: (why) => told.push(`reset ${why}`),
    text: (text, number) => told.push(`${number} ${text}`),
    reasoning: (text, number) => told.push(`${number} (${text})`),
    toolCall: ({ index, arguments: json }, number) => told.push(`${number} ${index}:${json}`),
    asked: ({ id }, number) => told.push(`${number} asked ${id}`),
    askSettled: ({ ask }, number) => told.push(`${number} settled ${ask}`),
    completed: (_end, number) => told.push(`${number} completed`),
    failed: ({ code }) => told.push(code),
  };
  return { reader: { output, onVanish: "cancel", facts, endsWith: "turn", state: "joined", seq }, told };
}

test("who joins in the moment of the first event, or of the end, is told first which turn it is", () => {
  const readers = new TurnReaders();
  const { reader, told } = joined();
  readers.add(reader);
  readers.event(delta(1, "a")); // the answer to an earlier follow
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
  readers.event(delta(1, "a"));
  readers.add(second.reader);
  readers.event(delta(2, "b")); // nothing for the second: it lacks the first
  expect([readers.lowestSeq, readers.latestSeq]).toEqual([0, 2]);
  for (const [seq, text] of ["a", "b", "c"].entries()) readers.event(delta(seq + 1, text));
  readers.ended(4, { state: "completed", finishReason: "stop" });
  const all = ["admitted", "1 a", "2 b", "3 c", "4 completed"];
  expect([first.told, second.told]).toEqual([all, all]);
});

test("thinking and calls of the client's functions are events like text, in one order", () => {
  const readers = new TurnReaders();
  const { reader, told } = joined();
  readers.add(reader);
  readers.event({ type: "reasoning", turn: "t", seq: 1, text: "hm" });
  readers.event(delta(2, "a"));
  const call = { index: 0, id: "c1", name: "look", arguments: "{" };
  readers.event({ type: "tool_called", turn: "t", seq: 3, call });
  readers.event({ type: "tool_called", turn: "t", seq: 4, call: { index: 0, arguments: "}" } });
  readers.ended(5, { state: "completed", finishReason: "tool_calls" });
  expect(told).toEqual(["admitted", "1 (hm)", "2 a", "3 0:{", "4 0:}", "5 completed"]);
});

test("who lacks an event is never told a clean end", () => {
  const readers = new TurnReaders();
  const { reader, told } = joined();
  readers.add(reader);
  readers.event(delta(2, "b"));
  readers.ended(3, { state: "completed", finishReason: "stop" });
  expect(told).toEqual(["admitted", "turn_gone"]);
});
