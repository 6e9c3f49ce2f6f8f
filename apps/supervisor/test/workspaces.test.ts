import { createHash } from "node:crypto";
import { mkdirSync } from "node:fs";
import type { Limits } from "@synthesis/config";
import { createLogger } from "@synthesis/kit";
import { eventually, expectClean, liveProcess, tempFolder, type TempFolder } from "@synthesis/testkit";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Workspaces } from "../src/workspaces.ts";
import { settingsIn } from "./support/settings.ts";

expectClean();
vi.setConfig({ testTimeout: 20_000, hookTimeout: 20_000 }); // real processes on a busy machine

let folder: TempFolder;
let workspaces: Workspaces;
beforeEach(async () => {
  folder = await tempFolder();
});
afterEach(async () => {
  await workspaces.close({ code: "done", message: "the test is over" });
  await folder[Symbol.asyncDispose]();
});

async function open(limits: Partial<Limits> = {}): Promise<Workspaces> {
  workspaces = new Workspaces(
    await settingsIn(folder, limits),
    `test-${process.pid}-ws`,
    createLogger("error"),
  );
  return workspaces;
}

function pidOf(name: string): number | undefined {
  return workspaces.status().workers.find(({ workspace }) => workspace === name)?.pid;
}

test("one folder has one worker, however often and by whatever name it is asked for", async () => {
  await open();
  const answers = await Promise.all(
    ["a", folder.join("a"), `${folder.path}/b/../a`, "a"].map((asked) => workspaces.ensure(asked)),
  );
  expect(new Set(answers.map((answer) => JSON.stringify(answer))).size).toBe(1);
  expect(workspaces.status().workers).toHaveLength(1);
});

test("C-4: a killed worker is followed by a later epoch on a socket of its own, other workers are untouched", async () => {
  await open();
  const [first, other] = await Promise.all([workspaces.ensure("a"), workspaces.ensure("b")]);
  const otherPid = pidOf("b");
  process.kill(pidOf("a")!, "SIGKILL");
  const second = await eventually(async () => {
    const answer = await workspaces.ensure("a");
    expect(answer.epoch).toBeGreaterThan(first.epoch);
    return answer;
  });
  expect(second.socketPath).not.toBe(first.socketPath);
  expect(await workspaces.ensure("b")).toEqual(other);
  expect(pidOf("b")).toBe(otherPid);
  expect(workspaces.status().workers.find(({ workspace }) => workspace === "a")?.restarts).toBe(1);
});

test("at the bound an idle worker makes room; its folder gets no new one before the old one is gone", async () => {
  await open({ workspaces: 2, closeMs: 50 });
  const first = await workspaces.ensure("a");
  const pid = pidOf("a")!;
  await workspaces.ensure("b");
  // They are known to be idle when they have said so.
  await eventually(() => expect(workspaces.status().workers.every(({ status }) => status)).toBe(true));
  process.kill(pid, "SIGSTOP"); // it cannot end when asked, only be killed after a while
  const third = workspaces.ensure("site");
  await eventually(() => expect(pidOf("a")).toBeUndefined());
  const again = workspaces.ensure("a");
  await eventually(() => expect(pidOf("a")).toBeDefined());
  expect(liveProcess(pid)).toBeUndefined();
  expect((await again).epoch).toBeGreaterThan(first.epoch);
  await third;
});

test("at the bound, with nothing known to be idle, one more is refused and told when to come again", async () => {
  await open({ workspaces: 1 });
  const starting = workspaces.ensure("a");
  await eventually(() => expect(workspaces.status().workers).toHaveLength(1));
  await expect(workspaces.ensure("b")).rejects.toMatchObject({
    error: { code: "too_many_workspaces", retryAfterMs: 10_000 },
  });
  await starting;
});

test("at the bound a worker that keeps dying makes room", async () => {
  await open({ workspaces: 1, restarts: 1_000 });
  const hash = createHash("sha256").update(folder.join("a")).digest("hex").slice(0, 16);
  mkdirSync(folder.join("state", "journals", `${hash}.db`)); // no journal can be opened there
  const dying = expect(workspaces.ensure("a")).rejects.toMatchObject({ error: { code: "shutting_down" } });
  await eventually(() => expect(workspaces.status().workers).toMatchObject([{ workspace: "a" }]));
  const answer = await eventually(async () => workspaces.ensure("b"), 15_000);
  expect(answer.workspace).toBe("b");
  await dying;
});

test("closing ends every worker, and nothing is opened any more", async () => {
  await open();
  await Promise.all([workspaces.ensure("a"), workspaces.ensure("b")]);
  const pids = [pidOf("a")!, pidOf("b")!];
  await workspaces.close({ code: "done", message: "the test is over" });
  expect(pids.map((pid) => liveProcess(pid))).toEqual([undefined, undefined]);
  await expect(workspaces.ensure("site")).rejects.toMatchObject({ error: { code: "shutting_down" } });
});
