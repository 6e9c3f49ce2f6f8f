import { expect, test } from "vitest";
import { textParts } from "../src/plugin-client/text-parts.ts";

test.each([
  { title: "an empty text is one part", text: "", parts: [""] },
  { title: "a text at the bound is one part", text: "abcdefg", parts: ["abcdefg"] },
  { title: "a longer one is cut at the bound", text: "abcdefgh", parts: ["abcdefg", "h"] },
  { title: "bytes are counted, not characters", text: "äöüß", parts: ["äöü", "ß"] },
  { title: "a surrogate pair stays whole", text: "abcd😀😀", parts: ["abcd", "😀", "😀"] },
  { title: "a lone surrogate is kept as it is", text: "abcdef\ud83d😀", parts: ["abcdef", "\ud83d😀"] },
])("$title", ({ text, parts }) => {
  expect(textParts(text, 7)).toEqual(parts);
});

test("parts have at most 256 KiB and join to the text", () => {
  const text = `${"x".repeat(256 * 1024 - 1)}😀${"\u0000ä€".repeat(200_000)}`;
  const parts = textParts(text);
  expect(parts.join("")).toBe(text);
  expect(Math.max(...parts.map((part) => Buffer.byteLength(part)))).toBeLessThanOrEqual(256 * 1024);
  expect(parts.every((part) => part.isWellFormed())).toBe(true);
});
