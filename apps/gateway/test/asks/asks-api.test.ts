import { randomUUID } from "node:crypto";
import type { ServerResponse } from "node:http";
import type { EnsureAnswer, StatusAnswer, WireError } from "@synthesis/protocol";
import { expectClean, tempFolder, type TempFolder } from "@synthesis/testkit";
import { afterEach, beforeEach, expect, test } from "vitest";
import { callerHash } from "../../src/identity/request-identity.ts";
import { FakeAsks, makeAsk } from "../support/fake-asks.ts";
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
let asks: { readonly demo: FakeAsks; readonly site: FakeAsks };
let answers: Map<string, EnsureAnswer | WireError>;

beforeEach(async () => {
  folder = await tempFolder();
  gateway = await RunningGateway.start();
  const { supervisor, worker } = gateway;
  const siteAnswer = { workspace: "site", epoch: 1, socketPath: folder.join("site.sock") };
  site = await FakeWorker.listen(siteAnswer);
  asks = { demo: new FakeAsks(), site: new FakeAsks() };
  worker.onRequest = asks.demo.answer;
  site.onRequest = asks.site.answer;
  answers = new Map<string, EnsureAnswer | WireError>([
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

async function call(method: string, path: string, body?: unknown, apiKey = key) {
  const response = await gateway.fetch(`/v1/synthesis/asks${path}`, {
    method,
    headers: { authorization: `Bearer ${apiKey}`, "content-type": "application/json" },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const said = (await response.json()) as { readonly error?: WireError };
  return { status: response.status, said, code: said.error?.code, message: said.error?.message };
}

test("the open asks of the API key are listed over all workspaces that have a worker, the oldest first", async () => {
  const questions = [{ question: "Which?", header: "Way", options: [{ label: "Left" }], isMultiple: true }];
  const late = asks.demo.add(mine, makeAsk({ askedAt: 2_000, kind: "question", questions }));
  const early = asks.site.add(mine, makeAsk({ askedAt: 1_000 }));
  asks.site.add(theirs, makeAsk());
  asks.demo.settle(asks.demo.add(mine, makeAsk()).id, { behavior: "deny", by: "deadline" });
  const { said } = await call("GET", "");
  expect(said).toEqual({
    object: "list",
    data: [
      {
        id: early.id,
        workspace: "site",
        session: "s",
        turn: early.turn,
        agent: "echo",
        kind: "permission",
        tool: "Write",
        title: "Write /etc/passwd",
        input: '{"file_path":"/etc/passwd"}',
        always: ["Write"],
        asked_at: "1970-01-01T00:00:01.000Z",
        deadline_at: "1970-01-01T00:10:01.000Z",
      },
      expect.objectContaining({
        id: late.id,
        workspace: "demo",
        kind: "question",
        questions: [{ question: "Which?", header: "Way", options: [{ label: "Left" }], multiple: true }],
      }),
    ],
    unavailable: [],
  });
});

test("where the input is cut, it is said how much of it is left out", async () => {
  asks.site.add(mine, makeAsk({ input: '{"command":"true…"}', inputLeftOut: 7 }));
  expect((await call("GET", "")).said).toMatchObject({ data: [{ input_left_out: 7 }] });
});

test("a workspace that does not answer is named, and hides no ask of another", async () => {
  const { id } = asks.site.add(mine, makeAsk());
  answers.set("/srv/demo", { code: "too_many_workspaces", message: "no" });
  expect((await call("GET", "")).said).toMatchObject({ data: [{ id }], unavailable: ["demo"] });
});

test("an ask is shown and settled wherever it is, once; whoever comes later is told how", async () => {
  const { id } = asks.site.add(mine, makeAsk());
  expect((await call("GET", `/${id}`)).said).toMatchObject({ id, workspace: "site", tool: "Write" });
  const both = await Promise.all([
    call("POST", `/${id}`, { behavior: "deny", message: "not there" }),
    call("POST", `/${id}`, { behavior: "allow" }),
  ]);
  const [won, lost] = both[0].status === 200 ? both : both.toReversed();
  const { behavior } = asks.site.said[0]!;
  expect(won!.said).toEqual({ id, workspace: "site", behavior, by: "api" });
  expect(lost).toMatchObject({ status: 409, code: "ask_settled" });
  expect(lost!.message).toBe(`the ask has its verdict: ${behavior}, by api`);
  expect(asks.site.said).toHaveLength(1);
  expect(await call("GET", `/${id}`)).toMatchObject({ status: 409, code: "ask_settled" });
});

test("a verdict travels with its message and answers", async () => {
  const { id } = asks.site.add(mine, makeAsk());
  const verdict = { behavior: "allow", message: "go", answers: { "Which?": "Left" } };
  expect((await call("POST", `/${id}?workspace=site`, verdict)).status).toBe(200);
  expect(asks.site.said).toEqual([{ ask: id, ...verdict, by: "api" }]);
});

test("a body says the verdict, and nothing else: not by which way, for whom, or what the tool is called with", async () => {
  const { id } = asks.site.add(mine, makeAsk());
  const more = { by: "cli", caller: theirs, session: "another", updated_input: {}, permissions: ["Bash"] };
  for (const [name, value] of Object.entries(more)) {
    const refused = await call("POST", `/${id}`, { behavior: "allow", [name]: value });
    expect(refused).toMatchObject({ status: 400, code: "invalid_request" });
    expect(refused.message).toBe(
      `the body: a verdict has behavior, message and answers, but not ${name}: leave that out`,
    );
  }
  expect((await call("POST", `/${id}`, { behavior: "allow", ...more })).message).toContain(
    "by, caller, session",
  );
  expect(asks.site.said).toEqual([]);
});

test("the worker's refusal is told as it is", async () => {
  const { id } = asks.site.add(mine, makeAsk());
  asks.site.ways = ["chat"];
  const verdict = { behavior: "allow" };
  expect(await call("POST", `/${id}`, verdict)).toMatchObject({ status: 403, code: "ask_not_yours" });
});

test("an ask of another API key, or of nobody's, is 404, shown or settled", async () => {
  const { id } = asks.site.add(theirs, makeAsk());
  for (const path of [id, randomUUID(), "..%2fasks", "%zz"]) {
    expect(await call("GET", `/${path}`)).toMatchObject({ status: 404, code: "ask_not_found" });
    const refused = await call("POST", `/${path}`, { behavior: "allow" });
    expect(refused).toMatchObject({ status: 404, code: "ask_not_found" });
  }
  expect(asks.site.said).toEqual([]);
  expect((await call("POST", `/${id}`, { behavior: "allow" }, clawKey)).status).toBe(200);
  expect((await gateway.fetch("/v1/synthesis/asks")).status).toBe(401);
});

test("who does not answer delays no verdict on what another worker knows, and no worker is told it that does not", async () => {
  const silent: ServerResponse[] = [];
  site.onRequest = (_request, response) => void silent.push(response);
  const { id } = asks.demo.add(mine, makeAsk());
  expect(await call("GET", `/${id}`)).toMatchObject({ status: 200 });
  expect(await call("POST", `/${id}`, { behavior: "allow" })).toMatchObject({ status: 200 });
  expect(await call("POST", `/${id}`, { behavior: "deny" })).toMatchObject({ code: "ask_settled" });
  expect(silent.map(({ req }) => req.method)).not.toContain("POST");
  for (const response of silent) response.destroy();
});

test("an ask that nobody knows may be where nobody answers", async () => {
  answers.set("/srv/site", { code: "too_many_workspaces", message: "no" });
  const known = asks.demo.add(mine, makeAsk());
  expect((await call("GET", `/${known.id}`)).status).toBe(200);
  expect(await call("GET", `/${randomUUID()}`)).toMatchObject({ status: 503, code: "worker_unavailable" });
});

test.for([
  ["no verdict", {}],
  ["another word", { behavior: "yes" }],
  ["a message that is no text", { behavior: "deny", message: 1 }],
  ["a message without end", { behavior: "deny", message: "x".repeat(16_385) }],
])("%s is refused, and reaches no worker", async ([, body]) => {
  const { id } = asks.site.add(mine, makeAsk());
  expect(await call("POST", `/${id}`, body)).toMatchObject({ status: 400, code: "invalid_request" });
  expect(asks.site.said).toEqual([]);
});
