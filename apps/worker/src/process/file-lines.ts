import { createReadStream } from "node:fs";
import { LineSplitter } from "./line-splitter.ts";

/**
 * The lines of a file from byte `start` on, as the reader asks for them; an unfinished last one is left out.
 * Throws where the file cannot be read, and a `LineTooLongError` where a line exceeds `maxLineBytes`.
 */
export async function* fileLines(file: string, maxLineBytes: number, start = 0): AsyncGenerator<string> {
  let lines: string[] = [];
  const splitter = new LineSplitter(maxLineBytes, (line) => lines.push(line));
  for await (const chunk of createReadStream(file, { start })) {
    splitter.push(chunk);
    yield* lines;
    lines = [];
  }
}
