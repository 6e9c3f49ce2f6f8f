import { expect, test } from "vitest";
import { readVerdict } from "../src/read-verdict.ts";

test.for(["yes", "y", "ALLOW", " ok ", "Yes.", "yes!\nand more"])("%j allows", (text) => {
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
  ["deny - never", "never"],
])("%j denies", ([text, message]) => {
  expect(readVerdict(text!)).toEqual({ behavior: "deny", ...(message === undefined ? {} : { message }) });
});

test.for([
  "",
  "yes please",
  "yesterday",
  "nobody",
  "note this",
  "allow everything",
  "was that ok",
  "\nhm\nyes",
])("%j is no verdict", (text) => {
  expect(readVerdict(text)).toBeUndefined();
});

test("to a question any text but a no is the answer", () => {
  expect(readVerdict("yes", "question")).toEqual({ behavior: "allow", message: "yes" });
  expect(readVerdict(" the blue one ", "input")).toEqual({ behavior: "allow", message: "the blue one" });
  expect(readVerdict("no", "question")).toEqual({ behavior: "deny" });
  expect(readVerdict("  ", "question")).toBeUndefined();
  expect(readVerdict("the blue one", "plan")).toBeUndefined();
});
