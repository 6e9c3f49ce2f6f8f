import { once } from "node:events";
import { chmodSync, existsSync, statSync, symlinkSync } from "node:fs";
import type { Settings } from "@synthesis/config";
import {
  descendants,
  eventually,
  expectClean,
  liveProcess,
  tempFolder,
  type TempFolder,
} from "@synthesis/testkit";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { askControl, type ControlAnswer } from "./support/control-client.ts";
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

async function ask(method: "GET" | "POST", path: string, body?: object): Promise<ControlAnswer> {
  return askControl(folder.join("run", "supervisor.sock"), method, path, body && JSON.stringify(body));
}

function gatewayOf(supervisor: SupervisorProcess): number | undefined {
  return descendants(supervisor.child.pid).find(({ command }) => command.includes("gateway"))?.pid;
}

/** Asks the gateway again and again, each time on a new connection, till `over`; how often that was. */
async function keepAsking(supervisor: SupervisorProcess, over: () => boolean): Promise<number> {
  for (let answered = 0; ; answered += 1) {
    if (over()) return answered;
    expect((await supervisor.fetch("/health")).status).toBe(200);
  }
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
  expect(await ask("GET", "/v1/status")).toEqual({
    status: 200,
    body: {
      gateway: {
        state: "serving",
        pid: gatewayOf(supervisor),
        restarts: 0,
        endpoint: supervisor.said.endpoint,
      },
      workers: [],
    },
  });
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

test("a killed gateway is followed by another on the same socket: who connects meanwhile is served by it", async () => {
  const supervisor = await supervise();
  const before = gatewayOf(supervisor)!;
  process.kill(before, "SIGKILL");
  await eventually(() => expect(liveProcess(before)).toBeUndefined());
  await keepAsking(supervisor, () => (gatewayOf(supervisor) ?? before) !== before);
  expect((await supervisor.fetch("/health")).status).toBe(200);
  expect(await ask("GET", "/v1/status")).toMatchObject({
    body: { gateway: { state: "serving", restarts: 1, endpoint: supervisor.said.endpoint } },
  });
});

test("a restarted gateway takes over without a connection refused, and two restarts at once are one", async () => {
  const supervisor = await supervise();
  const before = gatewayOf(supervisor)!;
  let isOver = false;
  const asking = keepAsking(supervisor, () => isOver);
  const restarts = [1, 2].map(async () => ask("POST", "/v1/gateway/restart", {}));
  const answers = await Promise.all(restarts);
  isOver = true;
  expect(await asking).toBeGreaterThan(0);
  expect(liveProcess(before)).toBeUndefined();
  const after = gatewayOf(supervisor);
  expect(after).not.toBe(before);
  const answer = { status: 200, body: { pid: after } };
  expect(answers).toEqual([answer, answer]);
  expect(await ask("GET", "/v1/status")).toMatchObject({ body: { gateway: { pid: after, restarts: 0 } } });
  await supervisor.fetch("/health");
});

test("asked to stop it passes that on; told to drain it says what runs, and ends", async () => {
  const { child } = await supervise();
  const asked = once(child, "message");
  expect(await ask("POST", "/v1/stop", { drainMs: 7_000 })).toMatchObject({ status: 200 });
  expect((await asked)[0]).toEqual({ type: "stop_requested", drainMs: 7_000 });
  const exited = once(child, "exit");
  const drains = once(child, "message");
  child.send({ type: "close", reason: "the test is over", drainMs: 60_000 });
  expect((await drains)[0]).toEqual({ type: "draining", turns: 0 });
  expect(await exited).toEqual([0, null]);
});

test("what a killed supervisor left is swept by the next, also where it is stopped, and its port is taken again", async () => {
  const first = await supervise();
  await ask("POST", "/v1/workspaces/ensure", { workspace: "a" });
  const left = descendants(first.child.pid).map(({ pid }) => pid);
  expect(left).toHaveLength(2);
  for (const pid of left) process.kill(pid, "SIGSTOP");
  await first.kill();
  const { port } = first.said.endpoint!;
  const second = await supervise({ server: { ...settings.server, port } });
  expect(second.said.endpoint?.port).toBe(port);
  expect(left.flatMap((pid) => liveProcess(pid) ?? [])).toEqual([]);
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
