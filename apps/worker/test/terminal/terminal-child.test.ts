import { fileURLToPath } from "node:url";
import { eventually, expectClean, fixtures, testMarkPrefix } from "@synthesis/testkit";
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

test("a program that draws without end waits for us, and is killed all the same", async () => {
  const terminal = start(fixtures.floodsStdout);
  let drawn = 0;
  const { stop } = terminal.watch({ onDrawn: (bytes) => (drawn += bytes.length), onResized: () => {} });
  await eventually(() => expect(drawn).toBeGreaterThan(4 * 1024 * 1024));
  await terminal.kill(ended);
  stop();
  expect(terminal.isAlive).toBe(false);
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
