import { fork, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { expectClean, tempFolder, type TempFolder } from "../../../testkit/src/index.ts";
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
    configuration: { closedFile: folder.join("closed"), ...configuration },
  });
  expect(await once(child, "message")).toEqual([
    { type: "ready", endpoint: { url: "http://example.invalid", port: 80 } },
    undefined,
  ]);
  return child;
}

async function closedBecause(): Promise<unknown> {
  return JSON.parse(await readFile(folder.join("closed"), "utf8"));
}

test("it closes and ends with 0 when its supervisor is gone", async () => {
  const process = await serving();
  process.disconnect();
  expect(await once(process, "exit")).toEqual([0, null]);
  expect(await closedBecause()).toEqual({ code: "supervisor_lost", message: "the supervisor is gone" });
});

test("it closes and ends with 0 when told, with the reason it was given", async () => {
  const process = await serving();
  process.send({ type: "close", reason: "the test is over" });
  expect(await once(process, "exit")).toEqual([0, null]);
  expect(await closedBecause()).toEqual({ code: "closing", message: "the test is over" });
});

test("it closes and ends with 0 at SIGTERM", async () => {
  const process = await serving();
  process.kill("SIGTERM");
  expect(await once(process, "exit")).toEqual([0, null]);
  expect(await closedBecause()).toEqual({ code: "closing", message: "SIGTERM" });
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
