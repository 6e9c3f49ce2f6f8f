import { mkdirSync, statSync } from "node:fs";
import { createLogger } from "@synthesis/kit";
import { EnsureAnswer, RestartAnswer, StatusAnswer } from "@synthesis/protocol";
import { expectClean, tempFolder, type TempFolder } from "@synthesis/testkit";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { ControlApi } from "../src/control-api.ts";
import { Epochs } from "../src/epochs.ts";
import { GatewayHost } from "../src/gateway-host.ts";
import { workspaceHash } from "../src/workspace-hash.ts";
import { Workspaces } from "../src/workspaces.ts";
import { askControl, type ControlAnswer } from "./support/control-client.ts";
import { settingsIn } from "./support/settings.ts";

expectClean();
vi.setConfig({ testTimeout: 20_000, hookTimeout: 20_000 }); // real processes on a busy machine

let folder: TempFolder;
let workspaces: Workspaces;
let control: ControlApi;
let stops: number[];
beforeEach(async () => {
  folder = await tempFolder();
  const log = createLogger("error");
  const settings = await settingsIn(folder);
  const instance = `test-${process.pid}-control`;
  const epochs = new Epochs(settings.stateDir, log);
  workspaces = new Workspaces({ settings, instance, epochs, log });
  const gateway = new GatewayHost({ settings, instance, epochs, controlSocket: folder.join("c.sock"), log });
  stops = [];
  const onStop = (drainMs: number) => stops.push(drainMs);
  control = new ControlApi({ workspaces, gateway, drainMs: 60_000, log, onStop });
  await control.start(folder.join("c.sock"));
});
afterEach(async () => {
  await workspaces.close({ code: "done", message: "the test is over" });
  await control.close();
  await folder[Symbol.asyncDispose]();
});

const ask = async (method: "GET" | "POST", path: string, body?: object): Promise<ControlAnswer> =>
  askControl(folder.join("c.sock"), method, path, body && JSON.stringify(body));

test("its socket is this user's only", () => {
  expect(statSync(folder.join("c.sock")).mode & 0o777).toBe(0o600);
});

test("ensure starts a workspace's worker and says where it serves; status shows it", async () => {
  expect(await ask("GET", "/v1/status")).toEqual({ status: 200, body: { workers: [] } });
  const { status, body } = await ask("POST", "/v1/workspaces/ensure", { workspace: "a" });
  expect(status).toBe(200);
  const answer = EnsureAnswer.parse(body);
  expect(answer.workspace).toBe("a");
  expect(statSync(answer.socketPath).mode & 0o777).toBe(0o600);
  const { workers } = StatusAnswer.parse((await ask("GET", "/v1/status")).body);
  expect(workers).toMatchObject([{ workspace: "a", path: folder.join("a"), state: "serving", restarts: 0 }]);
});

test.for<[title: string, body: object, code: string]>([
  ["a workspace that may not be opened", { workspace: "/etc" }, "workspace_not_allowed"],
  ["one whose folder is missing", { workspace: "gone" }, "workspace_not_found"],
  ["no workspace", {}, "invalid_request"],
  ["an empty name", { workspace: "" }, "invalid_request"],
  ["a name that is too long", { workspace: "x".repeat(4097) }, "invalid_request"],
])("ensure refuses %s and starts nothing", async ([, body, code]) => {
  const answer = await ask("POST", "/v1/workspaces/ensure", body);
  expect(answer).toMatchObject({ status: 409, body: { error: { code } } });
  expect(workspaces.report()).toEqual([]);
});

test("a file is located in the workspace that has it, and nothing is started for it", async () => {
  const file = `file-${"a".repeat(32)}`;
  const located = async (body: object) => ask("POST", "/v1/files/locate", body);
  expect(await located({ file })).toMatchObject({ status: 409, body: { error: { code: "file_not_found" } } });
  await ask("POST", "/v1/workspaces/ensure", { workspace: "site" });
  const path = folder.join("root/site");
  mkdirSync(folder.join("state/files", workspaceHash(path), file), { recursive: true });
  await workspaces.close({ code: "done", message: "its worker comes to rest" });
  expect(await located({ file })).toEqual({ status: 200, body: { workspace: path } });
  expect(workspaces.report()).toMatchObject([
    { workspace: expect.stringContaining("site") as string, state: "closed" },
  ]);
  for (const odd of [{}, { file: "../.." }, { file: `${file}x` }])
    expect(await located(odd)).toMatchObject({ body: { error: { code: "invalid_request" } } });
});

test("restart replaces a worker and names its epoch; without one there is nothing to restart", async () => {
  expect(await ask("POST", "/v1/workspaces/restart", { workspace: "a" })).toEqual({
    status: 200,
    body: { workspace: "a" },
  });
  const { epoch } = EnsureAnswer.parse((await ask("POST", "/v1/workspaces/ensure", { workspace: "a" })).body);
  const restarted = await ask("POST", "/v1/workspaces/restart", { workspace: "a", drainMs: 0 });
  expect(RestartAnswer.parse(restarted.body).epoch).toBeGreaterThan(epoch);
});

test("stop answers what runs and how long it may go on, and passes it on", async () => {
  expect(await ask("POST", "/v1/stop", {})).toEqual({ status: 200, body: { turns: 0, drainMs: 60_000 } });
  expect(await ask("POST", "/v1/stop", { drainMs: 5 })).toMatchObject({ body: { drainMs: 5 } });
  expect(stops).toEqual([60_000, 5]);
});

test.for<[path: string, body: object]>([
  ["/v1/stop", { drainMs: -1 }],
  ["/v1/stop", { drainMs: 1.5 }],
  ["/v1/stop", { drainMs: 604_800_001 }],
  ["/v1/gateway/restart", { drainMs: "5" }],
  ["/v1/workspaces/restart", { drainMs: 5 }],
  ["/v1/workspaces/restart", { workspace: "a", drainMs: null }],
])("%s refuses %j", async ([path, body]) => {
  expect(await ask("POST", path, body)).toMatchObject({
    status: 409,
    body: { error: { code: "invalid_request" } },
  });
  expect(stops).toEqual([]);
});

test("C-5: another path, another method and no JSON are refused", async () => {
  expect(await ask("GET", "/v1/workspaces/ensure")).toMatchObject({ body: { error: { code: "not_found" } } });
  expect(await ask("POST", "/v1/status", {})).toMatchObject({ body: { error: { code: "not_found" } } });
  const broken = await askControl(folder.join("c.sock"), "POST", "/v1/workspaces/ensure", "{");
  expect(broken).toMatchObject({ status: 409, body: { error: { code: "invalid_request" } } });
});
