import { spawn } from "node:child_process";
import { once } from "node:events";
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
