import { expect, test } from "vitest";
import { ResumedAnswer } from "../../../src/drivers/headless/resumed-answer.ts";

const NOTE = "[resumed after an interruption]\n";

/** What a client gets that has seen `shown`, in parts, of a turn that comes again as `parts`. */
function resume(shown: string, parts: readonly string[], standing = "") {
  const got = { text: [] as string[], reasoning: "" };
  const answer = new ResumedAnswer(
    { shown, standing },
    { onText: (text) => got.text.push(text), onNote: (text) => (got.reasoning += text) },
  );
  for (const part of parts) answer.add(part);
  answer.end();
  return got;
}

test.for([
  {
    title: "the same text goes on",
    shown: "one two",
    parts: ["one", " two thr", "ee"],
    text: [" thr", "ee"],
  },
  { title: "exactly what was shown", shown: "one two", parts: ["one two"], text: [] },
  { title: "nothing was shown", shown: "", parts: ["one"], text: ["one"] },
  { title: "nothing comes", shown: "one", parts: [], text: [] },
])("$title: seamless", ({ shown, parts, text }) => {
  expect(resume(shown, parts)).toEqual({ text, reasoning: "" });
});

test.for([
  { title: "other words", shown: "one two", parts: ["uno", " due"], text: ["\n\nuno", " due"] },
  { title: "a difference after some", shown: "one two", parts: ["one", " TWO"], text: ["\n\none TWO"] },
  { title: "a shorter text", shown: "one two", parts: ["one"], text: ["\n\none"] },
  {
    title: "a difference after what stands",
    shown: "kept\n\npart",
    standing: "kept",
    parts: ["kept", "\n\nother"],
    text: ["\n\nother"],
  },
  {
    title: "what stands is not what was shown",
    shown: "xy",
    standing: "kept",
    parts: ["kept", "more"],
    text: ["\n\nkept", "more"],
  },
])("$title: set apart", ({ shown, parts, text, standing }) => {
  expect(resume(shown, parts, standing)).toEqual({ text, reasoning: NOTE });
});
