import { expect, test } from "vitest";
import { LineSplitter, LineTooLongError } from "../../src/process/line-splitter.ts";

function split(chunks: readonly (Buffer | string)[], maxBytes = 1024): string[] {
  const lines: string[] = [];
  const splitter = new LineSplitter(maxBytes, (line) => lines.push(line));
  for (const chunk of chunks) splitter.push(Buffer.from(chunk));
  return lines;
}

test.for([
  { title: "lines within one chunk come one by one", chunks: ["a\nb\nc\n"], lines: ["a", "b", "c"] },
  { title: "a line over many chunks comes whole", chunks: ["a", "b", "c\nd", "\n"], lines: ["abc", "d"] },
  { title: "an empty line is a line", chunks: ["\n\na\n"], lines: ["", "", "a"] },
  { title: "a newline alone in its chunk ends the line before", chunks: ["a", "\n"], lines: ["a"] },
  { title: "an unfinished last line is dropped", chunks: ["a\nhalf of"], lines: ["a"] },
  { title: "an empty chunk changes nothing", chunks: ["a", "", "\n"], lines: ["a"] },
  { title: "the CR of a CRLF stays with its line", chunks: ['{"a":1}\r\n'], lines: ['{"a":1}\r'] },
])("$title", ({ chunks, lines }) => {
  expect(split(chunks)).toEqual(lines);
});

test("a multi-byte character stays whole wherever it is cut", () => {
  const text = "ä€😀 — 漢字";
  const bytes = Buffer.from(`${text}\n`);
  for (let cut = 0; cut <= bytes.length; cut++) {
    expect(split([bytes.subarray(0, cut), bytes.subarray(cut)])).toEqual([text]);
  }
  expect(split([...bytes].map((byte) => Buffer.from([byte])))).toEqual([text]);
});

test("an unfinished line beyond the bound throws, one at the bound does not", () => {
  expect(split(["x".repeat(10), "\n"], 10)).toEqual(["x".repeat(10)]);
  expect(() => split(["x".repeat(6), "x".repeat(5)], 10)).toThrow(LineTooLongError);
});

test("the bound counts from the last newline", () => {
  expect(split(["12345\n12345", "67\n1234567890", "\n"], 10)).toEqual(["12345", "1234567", "1234567890"]);
});
