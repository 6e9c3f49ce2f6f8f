import { expect, test } from "vitest";
import { AnswerText, type TextVerdict } from "../../../src/drivers/headless/answer-text.ts";

type Step = (answer: AnswerText) => TextVerdict | void;
const begin =
  (id: string): Step =>
  (answer) =>
    answer.beginMessage(id);
const block =
  (index: number): Step =>
  (answer) =>
    answer.beginBlock(index);
const add =
  (text: string): Step =>
  (answer) =>
    answer.add(text);
const abandon =
  (fromBlock: number): Step =>
  (answer) =>
    answer.abandon(fromBlock);
const finish: Step = (answer) => answer.finishMessage(false);
const finishMidSentence: Step = (answer) => answer.finishMessage(true);

/** Plays steps up to the first that diverges. */
function play(steps: readonly Step[]): { readonly parts: string[]; readonly verdict: TextVerdict } {
  const parts: string[] = [];
  const answer = new AnswerText((text) => parts.push(text));
  const diverged = steps.some((step) => step(answer) === "diverged");
  return { parts, verdict: diverged ? "diverged" : "agrees" };
}

test.for<{ title: string; steps: Step[]; parts: string[] }>([
  {
    title: "text is handed on as it comes",
    steps: [begin("a"), add("one "), add("two"), finish],
    parts: ["one ", "two"],
  },
  {
    title: "a second attempt with the same start is shown from where the first broke off",
    steps: [begin("a"), add("one two"), abandon(0), begin("b"), add("one "), add("two three"), finish],
    parts: ["one two", " three"],
  },
  {
    title: "a second message_start without a stop is a second attempt too",
    steps: [begin("a"), add("one two"), begin("b"), add("one two three"), finish],
    parts: ["one two", " three"],
  },
  {
    title: "a third attempt that is shorter than the second and goes further in the end is the same answer",
    steps: [
      begin("a"),
      add("one two three"),
      abandon(0),
      begin("b"),
      add("one"),
      abandon(0),
      begin("c"),
      add("one two three four"),
      finish,
    ],
    parts: ["one two three", " four"],
  },
  {
    title: "messages are set apart by a blank line",
    steps: [begin("a"), add("before"), finish, begin("b"), add("after"), finish],
    parts: ["before", "\n\nafter"],
  },
  {
    title: "a message without text sets nothing apart",
    steps: [begin("a"), finish, begin("b"), add("only"), finish, begin("c"), finish],
    parts: ["only"],
  },
  {
    title: "a message without text between two others leaves one blank line",
    steps: [begin("a"), add("x"), finish, begin("b"), finish, begin("c"), add("y"), finish],
    parts: ["x", "\n\ny"],
  },
  {
    title: "a continuation after max_tokens joins without a separator",
    steps: [begin("a"), add("mid-sen"), finishMidSentence, begin("b"), add("tence"), finish],
    parts: ["mid-sen", "tence"],
  },
  {
    title: "a continuation that is cut and asked again joins too",
    steps: [
      begin("a"),
      add("mid-sen"),
      finishMidSentence,
      begin("b"),
      add("ten"),
      abandon(0),
      begin("c"),
      add("tence"),
      finish,
    ],
    parts: ["mid-sen", "ten", "ce"],
  },
  {
    title: "the blocks before from_block_index stand, those after come again",
    steps: [
      begin("a"),
      block(0),
      add("kept"),
      block(1),
      add("void"),
      abandon(1),
      begin("b"),
      block(0),
      add("void and more"),
      finish,
    ],
    parts: ["kept", "void", " and more"],
  },
  {
    title: "blocks that stand are set apart where nothing of the void ones was shown",
    steps: [
      begin("a"),
      block(0),
      add("kept"),
      block(1),
      abandon(1),
      begin("b"),
      block(0),
      add("new"),
      finish,
    ],
    parts: ["kept", "\n\nnew"],
  },
  {
    title: "a cut between two blocks leaves the first one standing",
    steps: [begin("a"), block(0), add("kept"), abandon(1), begin("b"), block(0), add("new"), finish],
    parts: ["kept", "\n\nnew"],
  },
])("$title", ({ steps, parts }) => {
  expect(play(steps)).toEqual({ parts, verdict: "agrees" });
});

test.for<{ title: string; steps: Step[]; parts: string[] }>([
  {
    title: "a second attempt that differs diverges and is not shown",
    steps: [begin("a"), add("one two three"), abandon(0), begin("b"), add("one two FOUR")],
    parts: ["one two three"],
  },
  {
    title: "a difference at the very end diverges",
    steps: [begin("a"), add("one two"), abandon(0), begin("b"), add("one tw0 three")],
    parts: ["one two"],
  },
  {
    title: "a second attempt that ends earlier diverges at its end",
    steps: [begin("a"), add("one two three"), abandon(0), begin("b"), add("one two"), finish],
    parts: ["one two three"],
  },
  {
    title: "a second attempt without any text diverges at its end",
    steps: [begin("a"), add("one"), abandon(0), begin("b"), finish],
    parts: ["one"],
  },
])("$title", ({ steps, parts }) => {
  expect(play(steps)).toEqual({ parts, verdict: "diverged" });
});

test("it knows the message being read and the one that just ended, no other", () => {
  const answer = new AnswerText(() => {});
  answer.beginMessage("a");
  expect([answer.knows("a"), answer.knows("b")]).toEqual([true, false]);
  answer.finishMessage(false);
  expect(answer.knows("a")).toBe(true);
  answer.beginMessage("b");
  expect([answer.knows("a"), answer.knows("b")]).toEqual([true, true]);
  answer.abandon(0);
  expect(answer.knows("b")).toBe(false);
});

test("it is empty until the first text", () => {
  const answer = new AnswerText(() => {});
  answer.beginMessage("a");
  answer.add("");
  expect(answer.isEmpty).toBe(true);
  answer.add("x");
  expect(answer.isEmpty).toBe(false);
});
