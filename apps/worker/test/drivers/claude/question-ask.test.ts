import { expect, test } from "vitest";
import { answeredInput, questionAsk } from "../../../src/drivers/claude/question-ask.ts";

const ask = (...questions: object[]) => questionAsk("AskUserQuestion", { questions });
const options = (count: number) => Array.from({ length: count }, (_, index) => ({ label: `${index}` }));

test("a call of AskUserQuestion is its questions", () => {
  expect(ask({ question: "Which?", options: options(2) })).toMatchObject({
    kind: "question",
    title: "Which?",
    questions: [{ question: "Which?", options: [{ label: "0" }, { label: "1" }], isMultiple: false }],
  });
  expect(questionAsk("Other", { questions: [{ question: "Which?", options: [] }] })).toBeUndefined();
});

test("more than can be put to a person is no question, but a call of a tool like any other", () => {
  const many = Array.from({ length: 17 }, (_, index) => ({ question: `${index}?`, options: [] }));
  expect(ask(...many.slice(1))?.questions).toHaveLength(16);
  expect(ask(...many)).toBeUndefined();
  expect(ask({ question: "Which?", options: options(128) })).toBeDefined();
  expect(ask({ question: "Which?", options: options(129) })).toBeUndefined();
  expect(ask({ question: "x".repeat(16_384), options: [] })).toBeUndefined();
});

test("a question called as what every object has is answered like any other", () => {
  const asked = ask({ question: "constructor", options: [] }, { question: "toString", options: [] });
  if (asked === undefined) throw new Error("no question");
  expect(answeredInput(asked, { behavior: "allow", answers: {} })).toMatchObject({ answers: {} });
  const given = { behavior: "allow", answers: { constructor: "red" } } as const;
  expect(answeredInput(asked, given)["answers"]).toEqual({ constructor: "red" });
});
