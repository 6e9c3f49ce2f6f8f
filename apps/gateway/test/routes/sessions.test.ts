import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { request, type IncomingMessage, type ServerResponse } from "node:http";
import type { EnsureAnswer, StatusAnswer, WireError } from "@synthesis/protocol";
import { eventually, expectClean, tempFolder, type TempFolder } from "@synthesis/testkit";
import { afterEach, beforeEach, expect, test } from "vitest";
import { callerHash } from "../../src/identity/request-identity.ts";
import { FakeSessions } from "../support/fake-sessions.ts";
import { FakeWorker } from "../support/fake-worker.ts";
import { clawKey, key, RunningGateway } from "../support/running-gateway.ts";

expectClean();

const mine = callerHash("default");
const theirs = callerHash("claw");
const workerOf = (workspace: string): StatusAnswer["workers"][number] => ({
  workspace,
  path: `/srv/${workspace}`,
  state: "serving",
  restarts: 0,
});

let gateway: RunningGateway;
let folder: TempFolder;
let site: FakeWorker;
let sessions: { readonly demo: FakeSessions; readonly site: FakeSessions };
/** By what a workspace is asked for by. */
let answers: Map<string, EnsureAnswer | WireError>;

beforeEach(async () => {
  folder = await tempFolder();
  gateway = await RunningGateway.start();
  const { supervisor, worker } = gateway;
  const siteAnswer = { workspace: "site", epoch: 1, socketPath: folder.join("site.sock") };
  site = await FakeWorker.listen(siteAnswer);
  sessions = { demo: new FakeSessions(), site: new FakeSessions() };
  worker.onRequest = sessions.demo.answer;
  site.onRequest = sessions.site.answer;
  answers = new Map<string, EnsureAnswer | WireError>([
    ["demo", await supervisor.ensure("demo")],
    ["site", siteAnswer],
    ["/srv/demo", await supervisor.ensure("demo")],
    ["/srv/site", siteAnswer],
  ]);
  const unknown: WireError = { code: "workspace_not_found", message: "there is no such workspace" };
  supervisor.ensure = (asked) => answers.get(asked) ?? unknown;
  supervisor.status = { workers: [workerOf("demo"), workerOf("site")] };
});
afterEach(async () => {
  await gateway.close();
  await site.close();
  await folder[Symbol.asyncDispose]();
});

const ask = async (method: string, path: string, apiKey = key) =>
  gateway.ask(method, `/v1/synthesis/sessions${path}`, { key: apiKey });
const get = async (path: string) => (await ask("GET", path)).json();
async function failed(method: string, path: string, apiKey = key) {
  const response = await ask(method, path, apiKey);
  const { error } = (await response.json()) as { readonly error: WireError };
  return { status: response.status, code: error.code, message: error.message };
}

test("the sessions of the API key are listed over all workspaces that have a worker, the last used first", async () => {
  sessions.demo.add(mine, {
    id: "a",
    usedAt: 3_000,
    turns: 2,
    state: "running",
    pid: 7,
    agentSession: "uuid",
  });
  sessions.site.add(mine, { id: "b", usedAt: 4_000 });
  sessions.site.add(theirs, { id: "c" });
  expect(await get("")).toEqual({
    object: "list",
    data: [
      {
        id: "b",
        workspace: "site",
        agent: "echo",
        key: "k",
        state: "cold",
        created_at: "1970-01-01T00:00:01.000Z",
        used_at: "1970-01-01T00:00:04.000Z",
        turn_count: 0,
      },
      expect.objectContaining({
        id: "a",
        workspace: "demo",
        state: "running",
        turn_count: 2,
        pid: 7,
        agent_session: "uuid",
      }),
    ],
    unavailable: [],
  });
  expect(await (await ask("GET", "", clawKey)).json()).toMatchObject({ data: [{ id: "c" }] });
});

test("with a workspace only its sessions are listed, and its worker is started for it", async () => {
  gateway.supervisor.status = { workers: [] };
  sessions.demo.add(mine, { id: "a" });
  sessions.site.add(mine, { id: "b" });
  expect(await get("")).toMatchObject({ data: [] });
  expect(gateway.supervisor.asked).toEqual([]);
  expect(await get("?workspace=site")).toMatchObject({ data: [{ id: "b" }] });
  expect(gateway.supervisor.asked).toEqual(["site"]);
  expect(await failed("GET", "?workspace=nowhere")).toMatchObject({
    status: 404,
    code: "workspace_not_found",
  });
});

test("a workspace that does not answer is named, and hides no session of another", async () => {
  sessions.site.add(mine, { id: "b" });
  answers.set("/srv/demo", { code: "too_many_workspaces", message: "no" });
  expect(await get("")).toMatchObject({ data: [{ id: "b" }], unavailable: ["demo"] });
  expect(await get("/b")).toMatchObject({ id: "b" });
  expect(await failed("GET", "/elsewhere")).toMatchObject({ status: 503, code: "worker_unavailable" });
});

test("a session is told with its turns", async () => {
  sessions.site.add(mine, { id: "b", turns: 2 });
  const [first, second] = [randomUUID(), randomUUID()];
  sessions.site.addTurn("b", {
    id: first,
    state: "failed",
    acceptedAt: 1,
    endedAt: 2,
    errorCode: "turn_failed",
  });
  sessions.site.addTurn("b", { id: second, state: "started", acceptedAt: 3 });
  expect(await get("/b")).toMatchObject({
    id: "b",
    workspace: "site",
    turn_count: 2,
    turns: [
      {
        id: first,
        state: "failed",
        accepted_at: "1970-01-01T00:00:00.001Z",
        ended_at: "1970-01-01T00:00:00.002Z",
        error_code: "turn_failed",
      },
      { id: second, state: "started", accepted_at: "1970-01-01T00:00:00.003Z" },
    ],
  });
});

test.for([
  ["GET", ""],
  ["DELETE", ""],
  ["GET", "/export"],
])("%s …%s of another API key's session, or of nobody's, is 404", async ([method, path]) => {
  sessions.site.add(theirs, { id: "c" });
  for (const id of ["c", "nobodys", "..%2fsessions", "%zz"])
    expect(await failed(method!, `/${id}${path}`)).toMatchObject({ status: 404, code: "session_not_found" });
  expect(sessions.site.ended).toEqual([]);
  expect((await ask(method!, `/c${path}`, clawKey)).status).toBe(200);
});

test("without a key nothing is told", async () => {
  sessions.demo.add(mine, { id: "a" });
  for (const path of ["", "/a", "/a/export"])
    expect((await gateway.fetch(`/v1/synthesis/sessions${path}`)).status).toBe(401);
});

test("a session that two workspaces have is not guessed", async () => {
  sessions.demo.add(mine, { id: "a" });
  sessions.site.add(mine, { id: "a" });
  const { status, code, message } = await failed("DELETE", "/a");
  expect([status, code]).toEqual([400, "invalid_request"]);
  expect(message).toContain("(demo, site)");
  expect(await (await ask("DELETE", "/a?workspace=site")).json()).toEqual({
    id: "a",
    workspace: "site",
    deleted: true,
  });
  expect([sessions.demo.ended, sessions.site.ended]).toEqual([[], ["a"]]);
});

test("to end a session cancels its turns that wait here, and no other's", async () => {
  const { worker } = gateway;
  const named = (name: string) => ({ headers: { "x-openclaw-session-key": name } });
  const first = await gateway.stream("first", named("one"));
  const submitted = await worker.next("submit");
  worker.begin(submitted, "part");
  const waiting = await gateway.stream("second", named("one"));
  const others = [await gateway.stream("other", named("two")), await gateway.stream("last", named("two"))];
  const otherSubmitted = await worker.next("submit");
  sessions.demo.add(mine, { id: submitted.session.id });
  expect((await ask("DELETE", `/${submitted.session.id}`)).status).toBe(200);
  expect(sessions.demo.ended).toEqual([submitted.session.id]);
  const message = "the turn was cancelled: its session was ended";
  expect((await waiting.events.rest()).at(-1)).toMatchObject({ error: { code: "turn_cancelled", message } });
  // What runs is the worker's to cancel.
  worker.send({
    type: "ended",
    turn: submitted.turn,
    seq: 2,
    end: { state: "cancelled", error: { code: "turn_cancelled", message } },
  });
  await first.events.rest();
  worker.answer(otherSubmitted, "A");
  worker.answer(await worker.next("submit"), "B");
  expect(await Promise.all(others.map(async ({ events }) => events.text()))).toEqual(["A", "B"]);
  await eventually(() => expect(gateway.turns.size).toBe(0));
  expect(gateway.queues.counts).toEqual({ sessions: 0, waiting: 0 });
  expect(worker.unread("submit")).toBe(0);
});

test("an export comes as the worker writes it", async () => {
  sessions.demo.add(mine, { id: "a" });
  sessions.demo.writeExport = (response) => {
    response.write('{"session":"a"}\n{"turn":');
    setImmediate(() => response.end('"t"}\n'));
  };
  const response = await ask("GET", "/a/export");
  expect(response.headers.get("content-type")).toBe("application/x-ndjson");
  expect(await response.text()).toBe('{"session":"a"}\n{"turn":"t"}\n');
});

test("an export that breaks off in the worker breaks off at the client", async () => {
  sessions.demo.add(mine, { id: "a" });
  sessions.demo.writeExport = (response) => response.write('{"session":"a"}\n', () => response.destroy());
  const response = await ask("GET", "/a/export");
  await expect(response.text()).rejects.toThrow("terminated");
});

/** An export that never ends; how much of it the worker got rid of, and whether it was stopped. */
async function endlessExport() {
  sessions.demo.add(mine, { id: "a" });
  const worker = { written: 0, isStopped: false };
  sessions.demo.writeExport = (response) => {
    const line = `${"x".repeat(65_535)}\n`;
    const write = () => {
      do worker.written += line.length;
      while (response.write(line));
    };
    response.on("drain", write).on("close", () => (worker.isStopped = true));
    write();
  };
  const asking = request(`${gateway.url}/v1/synthesis/sessions/a/export`, {
    agent: false,
    headers: { authorization: `Bearer ${key}` },
  }).end();
  const [reading] = (await once(asking, "response")) as [IncomingMessage];
  return { worker, reading: reading.on("error", () => {}) };
}

test("an export is read no faster than its client reads it, and stops when that one leaves", async () => {
  const { worker, reading } = await endlessExport();
  let before = -1;
  await eventually(() => {
    const isStill = worker.written === before;
    before = worker.written;
    expect(isStill).toBe(true);
  });
  const stalledAt = worker.written;
  reading.resume();
  await eventually(() => expect(worker.written).toBeGreaterThan(stalledAt + 1_000_000));
  expect(worker.isStopped).toBe(false);
  reading.destroy();
  await eventually(() => expect(worker.isStopped).toBe(true));
});

test("an export whose client leaves before it begins is stopped", async () => {
  sessions.demo.add(mine, { id: "a" });
  const { promise: asked, resolve } = Promise.withResolvers<ServerResponse>();
  sessions.demo.writeExport = resolve;
  const leaving = new AbortController();
  const path = "/v1/synthesis/sessions/a/export";
  const answer = gateway.ask("GET", path, { signal: leaving.signal });
  const response = await asked;
  leaving.abort();
  await expect(answer).rejects.toThrow("aborted");
  await get(""); // by now the gateway knows
  const closed = once(response, "close");
  response.write("the first line\n");
  await closed;
  expect(response.writableFinished).toBe(false);
});
