import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { CloseReason } from "@synthesis/kit";
import { eventually, expectClean, fixtures, tempFolder, testMarkPrefix } from "@synthesis/testkit";
import { expect, test } from "vitest";
import { TerminalChild } from "../../src/terminal/terminal-child.ts";
import { LogRecorder } from "../support/log-recorder.ts";

expectClean();

const ended = { code: "test", message: "the test is over" };

function start(...args: readonly string[]): TerminalChild {
  return new TerminalChild({
    command: process.execPath,
    args,
    cwd: fileURLToPath(new URL(".", import.meta.url)),
    env: { PATH: process.env["PATH"] ?? "" },
    mark: `${testMarkPrefix}terminal`,
    closeMs: 300,
    log: new LogRecorder(),
  });
}

test("its program has a terminal of the size that is told, and its pid is the program's", async () => {
  const terminal = start(
    "-e",
    "console.log(process.stdout.isTTY, process.stdout.getWindowSize(), process.pid)",
  );
  await terminal.closed;
  await eventually(() => expect(terminal.text).toBe(`true [ 120, 40 ] ${terminal.pid}`));
});

test("a terminal that is asked where its cursor is answers by itself", async () => {
  const asks = `process.stdin.setRawMode(true).once("data", (d) => { console.log(JSON.stringify(String(d))); process.exit() });
    process.stdout.write("\\x1b[6n")`;
  const terminal = start("-e", asks);
  await terminal.closed;
  await eventually(() => expect(terminal.text).toBe(String.raw`"\u001b[1;1R"`));
});

test("a program that draws faster than can be drawn waits for us", async () => {
  await using folder = await tempFolder();
  const done = folder.join("done");
  const total = 1024 * 1024;
  // To clear the screen is slow in a few bytes.
  const draws = `const { writeSync, writeFileSync } = require("node:fs");
    for (let left = ${total}; left > 0; ) left -= writeSync(1, "\\x1b[2J".repeat(1024));
    writeFileSync(${JSON.stringify(done)}, "");
    setInterval(() => {}, 1000);`;
  const terminal = start("-e", draws);
  let drawn = 0;
  terminal.watch({ onDrawn: (bytes) => (drawn += bytes.length), onResized: () => {} });
  await eventually(() => expect(existsSync(done)).toBe(true), 20_000);
  expect(drawn).toBeGreaterThan(total / 2);
  await terminal.kill(ended);
});

test("a program that draws without end is killed all the same", async () => {
  const terminal = start(fixtures.floodsStdout);
  let drawn = 0;
  const { stop } = terminal.watch({ onDrawn: (bytes) => (drawn += bytes.length), onResized: () => {} });
  await eventually(() => expect(drawn).toBeGreaterThan(4 * 1024 * 1024));
  await terminal.kill(ended);
  stop();
  expect(terminal.isAlive).toBe(false);
});

test("who looks at it is told of its end when all is drawn", async () => {
  const terminal = start("-e", "console.log('x'.repeat(100_000)); console.log('the last words')");
  let drawn = "";
  const { promise: told, resolve } = Promise.withResolvers<CloseReason>();
  terminal.watch({ onDrawn: (bytes) => (drawn += String(bytes)), onResized: () => {}, onEnded: resolve });
  expect(await told).toMatchObject({ message: "exit code 0" });
  expect(drawn).toContain("the last words");
});

test("one that ignores SIGTERM is killed after closeMs", async () => {
  const terminal = start(fixtures.ignoresSigterm);
  await eventually(() => expect(terminal.text).toContain("ready"));
  await terminal.close(ended);
  expect(await terminal.closed).toEqual(ended);
});

test("what it leaves behind ends with it", async () => {
  const terminal = start(fixtures.leavesGrandchild);
  expect(await terminal.closed).toMatchObject({ message: "exit code 0" });
});
