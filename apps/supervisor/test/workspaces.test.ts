import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { existsSync, mkdirSync, utimesSync, writeFileSync } from "node:fs";
import type { Limits } from "@synthesis/config";
import { createLogger, MARK_VARIABLE, pidsMarked } from "@synthesis/kit";
import { eventually, expectClean, liveProcess, tempFolder, type TempFolder } from "@synthesis/testkit";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Epochs } from "../src/epochs.ts";
import { Workspaces } from "../src/workspaces.ts";
import { settingsIn } from "./support/settings.ts";

expectClean();
vi.setConfig({ testTimeout: 20_000, hookTimeout: 20_000 }); // real processes on a busy machine

const instance = `test-${process.pid}-ws`;
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
  const [settings, log] = [await settingsIn(folder, limits), createLogger("error")];
  workspaces = new Workspaces({ settings, instance, epochs: new Epochs(settings.stateDir, log), log });
  return workspaces;
}

function hashOf(name: string): string {
  return createHash("sha256").update(folder.join(name)).digest("hex").slice(0, 16);
}

function stateOf(name: string): string | undefined {
  return workspaces.report().find(({ workspace }) => workspace === name)?.state;
}

function pidOf(name: string): number | undefined {
  return workspaces.report().find(({ workspace }) => workspace === name)?.pid;
}

test("one folder has one worker, however often and by whatever name it is asked for", async () => {
  await open();
  const answers = await Promise.all(
    ["a", folder.join("a"), `${folder.path}/b/../a`, "a"].map((asked) => workspaces.ensure(asked)),
  );
  expect(new Set(answers.map((answer) => JSON.stringify(answer))).size).toBe(1);
  expect(workspaces.report()).toHaveLength(1);
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
  expect(workspaces.report().find(({ workspace }) => workspace === "a")?.restarts).toBe(1);
});

test("at the start attached files that are too old go, also of a workspace that nobody opens", async () => {
  const [old, young] = ["a", "b"].map((letter) =>
    folder.join("state/files/0123456789abcdef", `file-${letter.repeat(32)}`),
  );
  for (const file of [old!, young!]) {
    mkdirSync(file, { recursive: true });
    writeFileSync(`${file}/a.txt`, "a");
  }
  const at = Date.now() / 1_000 - 61;
  utimesSync(`${old!}/a.txt`, at, at);
  await open({ filesKeptMs: 60_000 });
  await eventually(async () => expect([old, young].map((file) => existsSync(file!))).toEqual([false, true]));
  expect(workspaces.report()).toEqual([]);
});

test("at the bound an idle worker makes room; its folder gets no new one before the old one is gone", async () => {
  await open({ workspaces: 2, closeMs: 50 });
  const first = await workspaces.ensure("a");
  const pid = pidOf("a")!;
  await workspaces.ensure("b");
  // They are known to be idle when they have said so.
  await eventually(() => expect(workspaces.report().every(({ status }) => status)).toBe(true));
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
  await eventually(() => expect(workspaces.report()).toHaveLength(1));
  await expect(workspaces.ensure("b")).rejects.toMatchObject({
    error: { code: "too_many_workspaces", retryAfterMs: 10_000 },
  });
  await starting;
});

test("at the bound a worker that keeps dying makes room", async () => {
  await open({ workspaces: 1, restarts: 1_000 });
  mkdirSync(folder.join("state", "journals", `${hashOf("a")}.db`)); // no journal can be opened there
  const dying = expect(workspaces.ensure("a")).rejects.toMatchObject({ error: { code: "shutting_down" } });
  await eventually(() => expect(workspaces.report()).toMatchObject([{ workspace: "a" }]));
  const answer = await eventually(async () => workspaces.ensure("b"), 15_000);
  expect(answer.workspace).toBe("b");
  await dying;
});

test("a restart replaces the worker of one workspace; who asks for it meanwhile gets the new one", async () => {
  await open();
  const [first, other] = await Promise.all([workspaces.ensure("a"), workspaces.ensure("b")]);
  const otherPid = pidOf("b");
  const restarts = [workspaces.restart("a", 60_000), workspaces.restart(folder.join("a"), 60_000)];
  await eventually(() => expect(stateOf("a")).toBe("draining"));
  const second = await workspaces.ensure("a");
  expect(second.epoch).toBeGreaterThan(first.epoch);
  expect(await Promise.all(restarts)).toEqual([
    { workspace: "a", epoch: second.epoch },
    { workspace: "a", epoch: second.epoch },
  ]);
  expect(workspaces.report()).toMatchObject([{ workspace: "a", state: "serving", restarts: 0 }, {}]);
  expect(await workspaces.ensure("b")).toEqual(other);
  expect(pidOf("b")).toBe(otherPid);
});

test("a restart of a workspace without a worker starts none; one that is not known is refused", async () => {
  await open();
  expect(await workspaces.restart("a", 0)).toEqual({ workspace: "a" });
  expect(workspaces.report()).toEqual([]);
  for (const asked of ["nowhere", "/etc", "gone"]) {
    await expect(workspaces.restart(asked, 0)).rejects.toMatchObject({
      error: {
        code: "workspace_not_found",
        message: expect.stringContaining(`there is no workspace "${asked}"`) as string,
      },
    });
  }
});

test("a stopped worker is reported, killed with its agents, and replaced", async () => {
  await open({ hangMs: 600 });
  const first = await workspaces.ensure("a");
  const mark = `${instance}/${hashOf("a")}/${first.epoch}/agent`;
  const agent = spawn("sleep", ["300"], { env: { ...process.env, [MARK_VARIABLE]: mark } });
  const agentGone = once(agent, "exit");
  process.kill(pidOf("a")!, "SIGSTOP");
  await eventually(() => expect(stateOf("a")).toBe("unresponsive"));
  expect(await agentGone).toEqual([null, "SIGKILL"]);
  const second = await workspaces.ensure("a");
  expect(second.epoch).toBeGreaterThan(first.epoch);
});

test("a worker has a mark of its own workspace and epoch, and the end of one leaves the others alive", async () => {
  await open();
  const [a, b] = await Promise.all([workspaces.ensure("a"), workspaces.ensure("b")]);
  const pids = [pidOf("a")!, pidOf("b")!];
  expect(pidsMarked(`${instance}/${hashOf("a")}/${a.epoch}`)).toEqual([pids[0]]);
  expect(pidsMarked(`${instance}/${hashOf("b")}/${b.epoch}`)).toEqual([pids[1]]);
  process.kill(pids[0]!, "SIGKILL");
  await eventually(() => expect(pidOf("a")).not.toBe(pids[0]));
  await workspaces.ensure("a");
  expect(liveProcess(pids[1]!)).toBeDefined();
});

test("one that keeps dying is failing, and says when it is tried again; other workspaces serve", async () => {
  await open({ restarts: 4 });
  mkdirSync(folder.join("state", "journals", `${hashOf("a")}.db`)); // no journal can be opened there
  await expect(workspaces.ensure("a")).rejects.toMatchObject({ error: { code: "worker_unavailable" } });
  expect(workspaces.report()).toMatchObject([{ state: "failing", restarts: 4 }]);
  expect(workspaces.report()[0]?.nextAttemptMs).toBeGreaterThan(0);
  await workspaces.ensure("b");
});

test("closing ends every worker, and nothing is opened any more", async () => {
  await open();
  await Promise.all([workspaces.ensure("a"), workspaces.ensure("b")]);
  const pids = [pidOf("a")!, pidOf("b")!];
  await workspaces.close({ code: "done", message: "the test is over" });
  expect(pids.map((pid) => liveProcess(pid))).toEqual([undefined, undefined]);
  await expect(workspaces.ensure("site")).rejects.toMatchObject({ error: { code: "shutting_down" } });
});
