/**
 * A process of its own that holds a pseudo-terminal: in the worker its descriptor would be inherited by every other
 * agent's process, which could then read its screen and press its keys (the library does not set close-on-exec).
 *   terminal-host.ts COLS ROWS COMMAND ARGUMENT …
 * Says the program's pid as a line, then what the program draws. Takes lines of JSON (`HostOrder`) from stdin, whose end
 * ends the program; exits as the program does. It loads little: an interactive Claude waits for its start.
 */
import { createInterface } from "node:readline";
import { spawn } from "@lydell/node-pty";
import type { HostOrder } from "./host-order.ts";

const [cols, rows, command = "", ...args] = process.argv.slice(2);
const terminal = spawn(command, args, {
  cols: Number(cols),
  rows: Number(rows),
  cwd: process.cwd(),
  env: { ...process.env, TERM: "xterm-256color" },
  encoding: null,
});
process.stdout.write(`${terminal.pid}\n`);
terminal.onData((bytes) => {
  if (!process.stdout.write(bytes)) terminal.pause(); // then the program waits for whoever reads
});
process.stdout.on("drain", () => terminal.resume());
terminal.onExit(({ exitCode, signal }) => {
  process.stdout.write("", () => process.exit(signal ? 128 + signal : exitCode)); // not before all is read
});

const end = () => terminal.kill("SIGTERM");
process.on("SIGTERM", end);
process.stdout.on("error", end); // nobody reads any more
createInterface({ input: process.stdin })
  .on("line", (line) => {
    const { keys, size } = JSON.parse(line) as HostOrder;
    if (keys !== undefined) terminal.write(keys);
    if (size !== undefined) terminal.resize(size.cols, size.rows);
  })
  .on("close", end);
