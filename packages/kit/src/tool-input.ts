import { visible } from "./visible.ts";

/** What a tool would be called with. */
type ToolInput = Readonly<Record<string, unknown>>;

/** It whole, as JSON text in one line in which nothing hides. */
export function inputJson(input: ToolInput): string {
  return visible(JSON.stringify(input));
}

/**
 * It whole, in lines for people, in which nothing hides: a text as its own lines, where there are several indented below
 * its name, so that they cannot pass for another field; anything else as JSON.
 */
export function inputLines(input: ToolInput): string[] {
  return Object.entries(input).flatMap(([name, value]) => {
    const field = visible(name);
    if (typeof value !== "string") return [`${field}: ${visible(JSON.stringify(value))}`];
    const lines = value
      .replace(/\n$/, "")
      .split("\n")
      .map((line) => visible(line));
    return lines.length === 1
      ? [`${field}: ${lines.join()}`]
      : [`${field}:`, ...lines.map((line) => `  ${line}`)];
  });
}
