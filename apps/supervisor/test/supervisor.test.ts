import { once } from "node:events";
import { chmodSync, existsSync, statSync, symlinkSync } from "node:fs";
import type { Settings } from "@synthesis/config";
import { descendants, eventually, expectClean, tempFolder, type TempFolder } from "@synthesis/testkit";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { askControl } from "./support/control-client.ts";
import { settingsIn } from "./support/settings.ts";
import { SupervisorProcess } from "./support/supervisor-process.ts";

expectClean();
vi.setConfig({ testTimeout: 20_000, hookTimeout: 20_000 }); // real processes on a busy machine

let folder: TempFolder;
let settings: Settings;
const started: SupervisorProcess[] = [];
beforeEach(async () => {
  folder = await tempFolder();
  settings = await settingsIn(folder);
});
afterEach(async () => {
  for (const supervisor of started.splice(0)) await supervisor.end();
  await folder[Symbol.asyncDispose]();
});

async function supervise(changes: Partial<Settings> = {}): Promise<SupervisorProcess> {
  const supervisor = await SupervisorProcess.start({ ...settings, ...changes });
  started.push(supervisor);
  return supervisor;
}

test("it closes the runtime folder to others, makes private sockets, and says where the gateway serves", async () => {
  chmodSync(folder.join("run"), 0o777);
  const supervisor = await supervise();
  const port = supervisor.said.endpoint?.port;
  expect(port).toBeGreaterThan(0);
  expect(supervisor.said).toEqual({ type: "ready", endpoint: { url: `http://127.0.0.1:${port}`, port } });
  expect(statSync(folder.join("run")).mode & 0o777).toBe(0o700);
  expect(statSync(folder.join("run", "supervisor.sock")).mode & 0o777).toBe(0o600);
  expect(await (await supervisor.fetch("/health")).json()).toEqual({ ok: true });
  const socket = folder.join("run", "supervisor.sock");
  expect(await askControl(socket, "GET", "/v1/status")).toEqual({ status: 200, body: { workers: [] } });
});

test("a runtime folder that is a link, as somebody else may have left it in /tmp, is refused", async () => {
  symlinkSync(folder.join("run"), folder.join("link"));
  expect((await supervise({ runtimeDir: folder.join("link") })).said).toEqual({
    type: "unusable",
    message: expect.stringContaining(
      `the runtime folder ${folder.join("link")} is not a folder of this user`,
    ) as string,
  });
});

test("a killed gateway is started again on the same port", async () => {
  const supervisor = await supervise();
  const gateway = () => descendants(supervisor.child.pid).find(({ command }) => command.includes("gateway"));
  const before = gateway()!;
  process.kill(before.pid, "SIGKILL");
  await eventually(async () => {
    expect(gateway()?.pid).not.toBe(before.pid);
    expect((await supervisor.fetch("/health")).status).toBe(200);
  });
});

test("when whoever started it is gone, it ends everything it started", async () => {
  const { child } = await supervise();
  const socket = folder.join("run", "supervisor.sock");
  await askControl(socket, "POST", "/v1/workspaces/ensure", '{"workspace":"a"}');
  expect(descendants(child.pid)).toHaveLength(2);
  child.disconnect();
  expect(await once(child, "exit")).toEqual([0, null]);
  expect(existsSync(socket)).toBe(false);
});
