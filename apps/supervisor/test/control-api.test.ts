import { statSync } from "node:fs";
import { createLogger } from "@synthesis/kit";
import { EnsureAnswer, StatusAnswer } from "@synthesis/protocol";
import { expectClean, tempFolder, type TempFolder } from "@synthesis/testkit";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { ControlApi } from "../src/control-api.ts";
import { Workspaces } from "../src/workspaces.ts";
import { askControl, type ControlAnswer } from "./support/control-client.ts";
import { settingsIn } from "./support/settings.ts";

expectClean();
vi.setConfig({ testTimeout: 20_000, hookTimeout: 20_000 }); // real processes on a busy machine

let folder: TempFolder;
let workspaces: Workspaces;
let control: ControlApi;
beforeEach(async () => {
  folder = await tempFolder();
  const log = createLogger("error");
  workspaces = new Workspaces(await settingsIn(folder), `test-${process.pid}-control`, log);
  control = new ControlApi(workspaces, log);
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
  expect(workspaces.status().workers).toEqual([]);
});

test("C-5: another path, another method and no JSON are refused", async () => {
  expect(await ask("GET", "/v1/workspaces/ensure")).toMatchObject({ body: { error: { code: "not_found" } } });
  expect(await ask("POST", "/v1/status", {})).toMatchObject({ body: { error: { code: "not_found" } } });
  const broken = await askControl(folder.join("c.sock"), "POST", "/v1/workspaces/ensure", "{");
  expect(broken).toMatchObject({ status: 409, body: { error: { code: "invalid_request" } } });
});
