import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import type { LogFields, LogLevel } from "../src/logger.ts";

const fixture = fileURLToPath(new URL("./fixtures/log-line.ts", import.meta.url));

/** What a real process writes to stderr. */
async function logged(lowest: LogLevel, fields: LogFields): Promise<string> {
  const run = await promisify(execFile)(process.execPath, [fixture, lowest, JSON.stringify(fields)]);
  expect(run.stdout).toBe("");
  return run.stderr;
}

function lines(text: string): Record<string, unknown>[] {
  return text
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}

test("a line is JSON with time, level, event, the logger's fields and its own", async () => {
  const [line] = lines(await logged("error", { turn: "t1", ms: 3 }));
  expect(line).toEqual({
    time: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/) as string,
    level: "error",
    event: "event.happened",
    process: "fixture",
    session: "s1",
    turn: "t1",
    ms: 3,
  });
});

test("only lines at or above the lowest level are written", async () => {
  const levels = async (lowest: LogLevel) => lines(await logged(lowest, {})).map(({ level }) => level);
  expect(await levels("debug")).toEqual(["debug", "info", "warn", "error"]);
  expect(await levels("warn")).toEqual(["warn", "error"]);
});

test.for([
  ["a line feed", "\n"],
  ["a carriage return", "\r"],
  ["an escape", "\u001B[2J"],
  ["a C1 control sequence introducer", "\u009B2J"],
  ["a next line character", "\u0085"],
  ["a line separator", "\u2028"],
  ["a delete", "\u007F"],
])("%s in a field is escaped: one call is one physical line", async ([, hostile]) => {
  const text = await logged("error", { said: `a${hostile}{"level":"error","event":"forged"}` });
  expect(text.match(/[\p{Cc}\u2028\u2029]/gu)).toEqual(["\n"]);
  expect(lines(text)).toHaveLength(1);
  expect(lines(text)[0]?.["said"]).toContain(hostile);
});

test("a long field is cut and says so", async () => {
  const [line] = lines(await logged("error", { said: "x".repeat(5000), short: "y" }));
  expect(line?.["said"]).toBe(`${"x".repeat(2048)}…`);
  expect(line?.["short"]).toBe("y");
});
