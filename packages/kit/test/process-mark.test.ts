import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync, readdirSync } from "node:fs";
import { afterEach, expect, test } from "vitest";
import { descendants, eventually, expectClean, fixtures, liveProcess } from "../../testkit/src/index.ts";
import { killMarked, MARK_VARIABLE, pidsMarked } from "../src/process-mark.ts";

const mine = `test-${process.pid}-`;

expectClean();
afterEach(() => void killMarked(mine));

/** Runs a fixture that leaves a grandchild in a session of its own; the grandchild's pid. */
async function leaveGrandchild(mark: string): Promise<number> {
  const child = spawn(process.execPath, [fixtures.leavesGrandchild], {
    env: { ...process.env, [MARK_VARIABLE]: mark },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const exited = once(child, "exit");
  const [output] = (await once(child.stdout, "data")) as [Buffer];
  await exited;
  return Number(/grandchild (\d+)/.exec(output.toString())?.[1]);
}

test("a re-parented grandchild in a session of its own is found by its mark and killed", async () => {
  const pid = await leaveGrandchild(`${mine}a/1`);
  expect(descendants().map((found) => found.pid)).not.toContain(pid);
  expect(pidsMarked(`${mine}a/`)).toEqual([pid]);
  expect(killMarked(`${mine}a/`)).toBe(1);
  await eventually(() => expect(liveProcess(pid)).toBeUndefined());
  expect(killMarked(`${mine}a/`)).toBe(0);
});

test("processes with another mark, or none, are left alone", async () => {
  const other = await leaveGrandchild(`${mine}b/1`);
  const twin = await leaveGrandchild(`${mine}c/10`);
  const inValue = await leaveGrandchild(`x=${mine}c/`);
  expect(killMarked(`${mine}c/1/`)).toBe(0);
  for (const pid of [other, twin, inValue, process.pid]) expect(liveProcess(pid)).toBeDefined();
  process.kill(inValue, "SIGKILL");
});

test("a process that ignores SIGTERM is killed too", async () => {
  const child = spawn(process.execPath, [fixtures.ignoresSigterm], {
    env: { ...process.env, [MARK_VARIABLE]: `${mine}d` },
    stdio: ["pipe", "pipe", "inherit"],
  });
  const exited = once(child, "exit");
  await once(child.stdout, "data");
  expect(killMarked(`${mine}d`)).toBe(1);
  expect(await exited).toEqual([null, "SIGKILL"]);
});

/** What prlimit itself has to find free again, when the limit is to be lifted. */
const TAKEN_AT_LEAST = 32;

/** Takes every descriptor that this process may have; its own limit is lowered for it. */
function takeAllDescriptors(): Disposable {
  const prlimit = (...args: readonly string[]) =>
    execFileSync("prlimit", ["--pid", String(process.pid), ...args], { encoding: "utf8" }).trim();
  const before = prlimit("--nofile", "--output=SOFT", "--noheadings", "--raw");
  prlimit(`--nofile=${Math.max(...readdirSync("/proc/self/fd").map(Number)) + TAKEN_AT_LEAST}:`);
  const taken: number[] = [];
  try {
    for (;;) taken.push(openSync("/dev/null", "r"));
  } catch {
    // that was the last one
  }
  return {
    [Symbol.dispose]: () => {
      for (const descriptor of taken) closeSync(descriptor);
      prlimit(`--nofile=${before}:`);
    },
  };
}

test("they are found also where this process has no descriptor left, each time", async () => {
  const [first, second] = [await leaveGrandchild(`${mine}e/1`), await leaveGrandchild(`${mine}f/1`)];
  const killed: number[] = [];
  {
    using _ = takeAllDescriptors();
    expect(() => readdirSync("/proc")).toThrow("EMFILE");
    for (const mark of ["e", "f", "none"]) killed.push(killMarked(`${mine}${mark}/`));
  }
  expect(killed).toEqual([1, 1, 0]);
  for (const pid of [first, second]) await eventually(() => expect(liveProcess(pid)).toBeUndefined());
});
