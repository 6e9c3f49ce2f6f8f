import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdir } from "node:fs/promises";
import { createServer } from "node:http";
import { controlSocketPath, locate } from "@synthesis/config";
import { descendants, eventually, expectClean, tempFolder, type TempFolder } from "@synthesis/testkit";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { runCli, startCli, type CliRun } from "../support/run-cli.ts";

expectClean();
vi.setConfig({ testTimeout: 30_000, hookTimeout: 30_000 }); // real processes on a busy machine

let folder: TempFolder;
let up: ChildProcess | undefined;
beforeEach(async () => {
  folder = await tempFolder();
});
afterEach(async () => {
  if (up?.exitCode === null && up.signalCode === null) {
    up.kill("SIGTERM");
    await once(up, "exit");
  }
  up = undefined;
  await folder[Symbol.asyncDispose]();
});

const places = () => ["--state-dir", folder.join("state"), "--runtime-dir", folder.join("run")];
const command = async (...args: readonly string[]): Promise<CliRun> => runCli([...args, ...places()]);

/** A running `synthesis up` with what it has printed so far. */
async function start(): Promise<{ child: ChildProcess; printed: () => string }> {
  const child = startCli(["up", "--port", "0", ...places()]);
  up = child;
  let text = "";
  child.stdout!.on("data", (part: Buffer) => (text += part));
  child.stderr!.resume(); // its log
  await eventually(() => expect(text).toContain("Synthesis is ready."), 20_000);
  return { child, printed: () => text };
}

test("status shows the gateway, restart replaces it, stop ends everything and `up` with 0", async () => {
  const { child, printed } = await start();
  const endpoint = /endpoint +(\S+)\/v1$/m.exec(printed())?.[1];
  const gateway = () => descendants(child.pid).find(({ command: line }) => line === "synthesis-gateway")?.pid;
  const before = gateway();
  expect(await command("status")).toEqual({
    code: 0,
    out: `gateway: serving, pid ${before}, 0 restarts, ${endpoint}\nNo workspace has been asked for yet.\n`,
    err: "",
  });
  expect(await command("restart", "--drain", "0")).toEqual({
    code: 0,
    out: expect.stringMatching(/^gateway: restarted$/m) as string,
    err: "",
  });
  expect(gateway()).not.toBe(before);
  const ended = once(child, "exit");
  expect(await command("stop")).toEqual({ code: 0, out: "Stopped.\n", err: "" });
  expect(await ended).toEqual([0, null]);
  expect(printed()).toMatch(/Stopping …\nStopped\.\n$/);
});

test("a workspace that cannot be restarted is one line and exit code 1; one without a worker is no error", async () => {
  await start();
  expect(await command("restart", "demo")).toEqual({
    code: 0,
    out: "demo: nothing to restart: it has no worker now, the next request starts one\n",
    err: "",
  });
  expect(await command("restart", "nowhere")).toEqual({
    code: 1,
    out: "",
    err: 'there is no workspace "nowhere": `synthesis status` names those with a worker\n',
  });
});

test("one that accepts connections and does not answer is given up, with what to do", async () => {
  const { runtimeDir } = locate({ stateDir: folder.join("state"), runtimeDir: folder.join("run") });
  await mkdir(runtimeDir, { recursive: true });
  const silent = createServer(() => {}).listen(controlSocketPath(runtimeDir));
  await once(silent, "listening");
  const { code, out, err } = await command("status");
  silent.close();
  expect([code, out]).toEqual([1, ""]);
  expect(err).toMatch(/^the Synthesis with the state folder .* does not answer: .*\n$/);
});
