import { fork, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { eventually, expectClean, tempFolder, type TempFolder } from "../../../testkit/src/index.ts";
import { supervisedChild } from "../support/fork-order.ts";

expectClean();
vi.setConfig({ testTimeout: 20_000, hookTimeout: 20_000 }); // real processes on a busy machine

let folder: TempFolder;
let child: ChildProcess | undefined;
beforeEach(async () => {
  folder = await tempFolder();
});
afterEach(async () => {
  if (child?.exitCode === null && child.signalCode === null) {
    child.kill("SIGKILL");
    await once(child, "exit");
  }
  await folder[Symbol.asyncDispose]();
});

/** The fixture, forked by hand, as its supervisor sees it. */
async function serving(configuration: object = {}): Promise<ChildProcess> {
  child = fork(fileURLToPath(supervisedChild), {
    execArgv: [],
    stdio: ["ignore", "inherit", "inherit", "ipc"],
  });
  child.send({
    type: "configure",
    configuration: { notesFile: folder.join("notes"), ...configuration },
  });
  expect(await once(child, "message")).toEqual([
    { type: "ready", endpoint: { url: "http://example.invalid", port: 80 } },
    undefined,
  ]);
  return child;
}

/** What it noted that it was told, in order. */
async function notes(): Promise<unknown[]> {
  const lines = (await readFile(folder.join("notes"), "utf8")).split("\n").slice(0, -1);
  return lines.map((line): unknown => JSON.parse(line));
}

const closing = { close: { code: "closing", message: "the test is over" } };

test("it closes at once and ends with 0 when its supervisor is gone", async () => {
  const process = await serving({ drainMs: 60_000 });
  process.disconnect();
  expect(await once(process, "exit")).toEqual([0, null]);
  expect(await notes()).toEqual([{ close: { code: "supervisor_lost", message: "the supervisor is gone" } }]);
});

test("it ends while it starts when its supervisor is gone", async () => {
  child = fork(fileURLToPath(supervisedChild), {
    execArgv: [],
    stdio: ["ignore", "inherit", "inherit", "ipc"],
  });
  child.send({ type: "configure", configuration: { start: "never" } });
  child.disconnect();
  expect(await once(child, "exit")).toEqual([1, null]);
});

test("it closes and ends with 0 when told, with the reason it was given", async () => {
  const process = await serving();
  process.send({ type: "close", reason: "the test is over", drainMs: 0 });
  expect(await once(process, "exit")).toEqual([0, null]);
  expect(await notes()).toEqual([closing]);
});

test("it drains first where it is given time, and closes as soon as it has drained", async () => {
  const process = await serving();
  process.send({ type: "close", reason: "the test is over", drainMs: 3_600_000 });
  expect(await once(process, "exit")).toEqual([0, null]);
  expect(await notes()).toEqual([{ drain: 3_600_000 }, closing]);
});

test("a drain that does not end is cut when its time is over", async () => {
  const process = await serving({ drain: "never" });
  process.send({ type: "close", reason: "the test is over", drainMs: 50 });
  expect(await once(process, "exit")).toEqual([0, null]);
  expect(await notes()).toEqual([{ drain: 50 }, closing]);
});

test.for<[how: string, cut: (process: ChildProcess) => void]>([
  ["told without time", (it) => it.send({ type: "close", reason: "now", drainMs: 0 })],
  ["told with less time", (it) => it.send({ type: "close", reason: "soon", drainMs: 20 })],
  ["its supervisor is gone", (it) => it.disconnect()],
])("while it drains it answers pings, and is cut when %s", async ([, cut]) => {
  const process = await serving({ drain: "never" });
  process.send({ type: "close", reason: "the test is over", drainMs: 3_600_000 });
  await eventually(async () => expect(await notes()).toEqual([{ drain: 3_600_000 }]));
  process.send({ type: "ping" });
  expect(await once(process, "message")).toEqual([{ type: "pong" }, undefined]);
  cut(process);
  expect(await once(process, "exit")).toEqual([0, null]);
  expect(await notes()).toEqual([{ drain: 3_600_000 }, closing]);
});

test("while it closes it answers pings too: how long that takes is not for the heartbeat to say", async () => {
  const process = await serving({ close: "never" });
  process.send({ type: "close", reason: "the test is over", drainMs: 0 });
  await eventually(async () => expect(await notes()).toEqual([closing]));
  process.send({ type: "ping" });
  expect(await once(process, "message")).toEqual([{ type: "pong" }, undefined]);
});

test("at SIGTERM it drains for the time of its configuration", async () => {
  const process = await serving({ drainMs: 3_600_000 });
  process.kill("SIGTERM");
  expect(await once(process, "exit")).toEqual([0, null]);
  expect(await notes()).toEqual([{ drain: 3_600_000 }, { close: { code: "closing", message: "SIGTERM" } }]);
});

test.for(["SIGINT", "SIGHUP"] as const)("%s of the terminal is left to the supervisor", async (signal) => {
  const process = await serving();
  process.kill(signal);
  process.send({ type: "ping" });
  expect(await once(process, "message")).toEqual([{ type: "pong" }, undefined]);
});

test("it ends with 1 when the first message configures nothing", async () => {
  child = fork(fileURLToPath(supervisedChild), { execArgv: [], stdio: ["ignore", "ignore", "pipe", "ipc"] });
  child.send({ type: "ping" });
  const [said] = (await once(child.stderr!, "data")) as [Buffer];
  expect(await once(child, "exit")).toEqual([1, null]);
  expect(said.toString()).toContain("started without a supervisor: use `synthesis up`");
});
