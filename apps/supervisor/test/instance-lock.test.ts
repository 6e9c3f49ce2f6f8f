import { spawn, type ChildProcess } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { mkdirSync, writeFileSync } from "node:fs";
import type { Settings } from "@synthesis/config";
import { MARK_VARIABLE, UnusableError } from "@synthesis/kit";
import { expectClean, liveProcess, tempFolder, type TempFolder } from "@synthesis/testkit";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { InstanceLock } from "../src/instance-lock.ts";
import { settingsIn } from "./support/settings.ts";
import { SupervisorProcess } from "./support/supervisor-process.ts";

expectClean();
vi.setConfig({ testTimeout: 20_000, hookTimeout: 20_000 }); // real processes on a busy machine

let folder: TempFolder;
let settings: Settings;
const started: SupervisorProcess[] = [];
const agents: ChildProcess[] = [];
beforeEach(async () => {
  folder = await tempFolder();
  settings = await settingsIn(folder);
});
afterEach(async () => {
  for (const supervisor of started.splice(0)) await supervisor.end();
  for (const agent of agents.splice(0)) agent.kill("SIGKILL");
  await folder[Symbol.asyncDispose]();
});

async function supervise(changes: Partial<Settings> = {}): Promise<SupervisorProcess> {
  const supervisor = await SupervisorProcess.start({ ...settings, ...changes });
  started.push(supervisor);
  return supervisor;
}

/** A process with the mark of this state folder's agents. */
async function agentOfInstance(): Promise<ChildProcess> {
  const instance = createHash("sha256").update(settings.stateDir).digest("hex").slice(0, 16);
  const agent = spawn("sleep", ["300"], { env: { ...process.env, [MARK_VARIABLE]: `${instance}/w/1/a` } });
  agents.push(agent);
  await once(agent, "spawn");
  return agent;
}

test.for([
  { title: "the same folders", runtime: "run" },
  { title: "another runtime folder", runtime: "other-run" },
])("a second one with $title is refused; the first goes on, and so do its agents", async ({ runtime }) => {
  const first = await supervise();
  const agent = await agentOfInstance();
  mkdirSync(folder.join("other-run"), { mode: 0o700 });
  const second = await supervise({ runtimeDir: folder.join(runtime) });
  expect(second.said).toEqual({
    type: "unusable",
    message: `Synthesis is already running with the state folder ${settings.stateDir}: stop it, or choose another with --state-dir`,
  });
  expect((await first.fetch("/health")).status).toBe(200);
  expect(liveProcess(agent.pid!)).toBeDefined();
});

test("the lock of a killed one is free at once; the next one ends the agents that were left", async () => {
  const first = await supervise();
  const agent = await agentOfInstance();
  const ended = once(agent, "exit");
  await first.kill();
  const second = await supervise({ runtimeDir: folder.join("other-run") });
  expect(second.said.type).toBe("ready");
  expect(await ended).toEqual([null, "SIGKILL"]);
});

test("a lock is held until it is released, once or twice", () => {
  const first = new InstanceLock(settings.stateDir);
  expect(() => new InstanceLock(settings.stateDir)).toThrow(UnusableError);
  first.release();
  first.release();
  new InstanceLock(settings.stateDir).release();
});

test("a lock file that holds garbage locks all the same", () => {
  writeFileSync(folder.join("state", "instance.lock"), "no database ".repeat(1_000));
  const first = new InstanceLock(settings.stateDir);
  expect(() => new InstanceLock(settings.stateDir)).toThrow(UnusableError);
  first.release();
});
