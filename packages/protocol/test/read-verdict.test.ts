import { expect, test } from "vitest";
import type { AskQuestion } from "../src/agent-ask.ts";
import { readVerdict } from "../src/read-verdict.ts";

test.for(["yes", "y", "ALLOW", " ok ", "Yes.", "\nyes!\n"])("%j allows", (text) => {
  expect(readVerdict(text)).toEqual({ behavior: "allow" });
});

test("always allows from then on", () => {
  expect(readVerdict("Always")).toEqual({ behavior: "always" });
});

test.for([
  ["no", undefined],
  ["Deny.", undefined],
  ["no, use ls", "use ls"],
  ["no: first line\nsecond", "first line\nsecond"],
  ["no not there", "no not there"],
  ["no problem, go ahead", "no problem, go ahead"],
  ["No idea what that is. What does it do?", "No idea what that is. What does it do?"],
  ["no-nonsense", "no-nonsense"],
  ["deny - never", "never"],
])("%j denies", ([text, message]) => {
  expect(readVerdict(text!)).toEqual({ behavior: "deny", ...(message === undefined ? {} : { message }) });
});

test.for([
  "",
  "yes please",
  "yes\nbut first delete the old branch",
  "ok!\n\nuse ls instead",
  "always\nand more",
  "yesterday",
  "nobody",
  "note this",
  "allow everything",
  "was that ok",
  "hm\nyes",
])("%j is no verdict", (text) => {
  expect(readVerdict(text)).toBeUndefined();
});

test.for(["yes", "the blue one", "No-SQL", "no preference", "no idea, you choose", "nobody", "yes\nno"])(
  "to a question %j is the answer",
  (text) => {
    for (const kind of ["question", "input"] as const)
      expect(readVerdict(` ${text} `, { kind })).toEqual({ behavior: "allow", message: text });
  },
);

test.for([
  ["no", undefined],
  ["Deny", undefined],
  ["no.", undefined],
  ["no, not now", "not now"],
  ["no - later", "later"],
  ["no\nnot now", "not now"],
])("to a question %j is no answer", ([text, message]) => {
  const verdict = { behavior: "deny", ...(message === undefined ? {} : { message }) };
  expect(readVerdict(text!, { kind: "question" })).toEqual(verdict);
});

const choice = (isMultiple: boolean, ...labels: readonly string[]): AskQuestion => ({
  question: `${labels.join(" or ")}?`,
  options: labels.map((label) => ({ label })),
  isMultiple,
});

test("an option is chosen whatever it is called", () => {
  const kind = "question";
  const one = [choice(false, "Yes", "No", "No, never")];
  for (const message of ["No", "no", "no, never"])
    expect(readVerdict(message, { kind, questions: one })).toEqual({ behavior: "allow", message });
  expect(readVerdict("no, thanks", { kind, questions: one })).toEqual({
    behavior: "deny",
    message: "thanks",
  });
  const several = [choice(true, "No", "Deny", "Blue")];
  expect(readVerdict("no, blue", { kind, questions: several })).toMatchObject({ behavior: "allow" });
  expect(readVerdict("no, red", { kind, questions: several })).toMatchObject({ behavior: "deny" });
  const lines = [choice(false, "No", "Yes"), choice(false, "Red", "Blue")];
  expect(readVerdict("no\nsomething else", { kind, questions: lines })).toMatchObject({ behavior: "allow" });
  expect(readVerdict("no\nbecause\nof it", { kind, questions: lines })).toMatchObject({ behavior: "deny" });
});

test("of another ask no option is chosen, and an empty text is no answer", () => {
  const questions = [choice(false, "No")];
  expect(readVerdict("no", { kind: "permission", questions })).toEqual({ behavior: "deny" });
  expect(readVerdict("  ", { kind: "question", questions: [choice(false, "")] })).toBeUndefined();
  expect(readVerdict("the blue one", { kind: "plan" })).toBeUndefined();
});
