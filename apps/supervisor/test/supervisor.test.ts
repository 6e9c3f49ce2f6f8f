import { fork, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { chmodSync, existsSync, statSync, symlinkSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Settings } from "@synthesis/config";
import { descendants, eventually, expectClean, tempFolder, type TempFolder } from "@synthesis/testkit";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { askControl } from "./support/control-client.ts";
import { compileCache, settingsIn } from "./support/settings.ts";

expectClean();
vi.setConfig({ testTimeout: 20_000, hookTimeout: 20_000 }); // real processes on a busy machine

const main = fileURLToPath(new URL("../src/main.ts", import.meta.url));
let folder: TempFolder;
let settings: Settings;
const children: ChildProcess[] = [];
beforeEach(async () => {
  folder = await tempFolder();
  settings = await settingsIn(folder);
});
afterEach(async () => {
  for (const child of children.splice(0)) {
    if (child.exitCode !== null || child.signalCode !== null) continue;
    child.disconnect();
    await once(child, "exit");
  }
  await folder[Symbol.asyncDispose]();
});

interface Said {
  readonly type: string;
  readonly endpoint?: string;
  readonly message?: string;
}

/** A real supervisor process, and the first thing it says. */
async function supervise(changes: Partial<Settings> = {}): Promise<Said> {
  const child = fork(main, {
    env: { ...process.env, NODE_COMPILE_CACHE: compileCache },
    execArgv: [],
    stdio: ["ignore", "inherit", "inherit", "ipc"],
  });
  children.push(child);
  child.send({ type: "configure", configuration: { settings: { ...settings, ...changes } } });
  const [said] = (await once(child, "message")) as [Said];
  return said;
}

test("it closes the runtime folder to others, makes private sockets, and says where the gateway serves", async () => {
  chmodSync(folder.join("run"), 0o777);
  const { type, endpoint } = await supervise();
  expect(type).toBe("ready");
  expect(statSync(folder.join("run")).mode & 0o777).toBe(0o700);
  expect(statSync(folder.join("run", "supervisor.sock")).mode & 0o777).toBe(0o600);
  expect(await (await fetch(`${endpoint}/health`, { headers: { connection: "close" } })).json()).toEqual({
    ok: true,
  });
  const socket = folder.join("run", "supervisor.sock");
  expect(await askControl(socket, "GET", "/v1/status")).toEqual({ status: 200, body: { workers: [] } });
});

test("a runtime folder that is a link, as somebody else may have left it in /tmp, is refused", async () => {
  symlinkSync(folder.join("run"), folder.join("link"));
  expect(await supervise({ runtimeDir: folder.join("link") })).toEqual({
    type: "unusable",
    message: expect.stringContaining(
      `the runtime folder ${folder.join("link")} is not a folder of this user`,
    ) as string,
  });
});

test("a second one with the same folders is refused, and the first one goes on", async () => {
  const { endpoint } = await supervise();
  expect(await supervise()).toMatchObject({
    type: "unusable",
    message: expect.stringContaining("Synthesis is already running with the state folder") as string,
  });
  expect((await fetch(`${endpoint}/health`, { headers: { connection: "close" } })).status).toBe(200);
});

test("a killed gateway is started again on the same port", async () => {
  const { endpoint } = await supervise();
  const gateway = () => descendants(children[0]!.pid).find(({ command }) => command.includes("gateway"));
  const before = gateway()!;
  process.kill(before.pid, "SIGKILL");
  await eventually(async () => {
    expect(gateway()?.pid).not.toBe(before.pid);
    expect((await fetch(`${endpoint}/health`, { headers: { connection: "close" } })).status).toBe(200);
  });
});

test("when whoever started it is gone, it ends everything it started", async () => {
  await supervise();
  const socket = folder.join("run", "supervisor.sock");
  await askControl(socket, "POST", "/v1/workspaces/ensure", '{"workspace":"a"}');
  const [child] = children;
  expect(descendants(child!.pid)).toHaveLength(2);
  child!.disconnect();
  expect(await once(child!, "exit")).toEqual([0, null]);
  expect(existsSync(socket)).toBe(false);
});
