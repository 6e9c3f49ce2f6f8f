import { expect, test } from "vitest";
import { inputJson, inputLines } from "../src/index.ts";

const ESC = "\u001B";

test("a text is shown as its lines, below its name, and cannot pass for another field", () => {
  const input = {
    command: "cat <<E\ndescription: harmless\nE\n",
    description: "d",
    timeout: 5,
    "a\nb": ["x\ny"],
  };
  expect(inputLines(input)).toEqual([
    "command:",
    "  cat <<E",
    "  description: harmless",
    "  E",
    "description: d",
    "timeout: 5",
    String.raw`a\u000ab: ["x\ny"]`,
  ]);
  expect(inputLines({})).toEqual([]);
});

test.each([
  ["a control sequence", `${ESC}[2K`, String.raw`\u001b[2K`],
  ["a direction", "a\u202Eb", String.raw`a\u202eb`],
  ["no width", "a\u200Bb\u2060\uFEFF", String.raw`a\u200bb\u2060\ufeff`],
  ["a filler, a selector", "\u3164\uFE0F\u{E0100}", String.raw`\u3164\ufe0f\udb40\udd00`],
  ["a tag", "\u{E0041}", String.raw`\udb40\udc41`],
  ["a return, a line separator", "a\rb\u2028c", String.raw`a\u000db\u2028c`],
  ["what is seen", "ä\t日本 😀 `x`", "ä\t日本 😀 `x`"],
])("nothing hides: %s", (_what, text, shown) => {
  expect(inputLines({ text })).toEqual([`text: ${shown}`]);
  const json = inputJson({ text });
  expect(json).not.toMatch(/[\p{Zl}\p{Zp}\p{C}\p{Default_Ignorable_Code_Point}]/u);
  expect(JSON.parse(json)).toEqual({ text });
});
