import { existsSync } from "node:fs";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import type { AskVerdict } from "@synthesis/protocol";
import {
  claudeEnv,
  eventually,
  expectClean,
  MessagesStandIn,
  pinnedClaude,
  reply,
  tempFolder,
} from "@synthesis/testkit";
import { expect, test, vi } from "vitest";
import { testCaller } from "../support/test-submit.ts";
import { TestWorkspace, type TestWorkspaceOptions } from "../support/test-workspace.ts";

expectClean();
vi.setConfig({ testTimeout: 60_000 });

const stopped = { state: "completed", finishReason: "stop" };

/** A workspace whose Claude is the real one. */
async function startReal(asks: TestWorkspaceOptions["asks"] = {}) {
  const stack = new AsyncDisposableStack();
  const api = stack.use(await MessagesStandIn.start());
  const folder = stack.use(await tempFolder());
  const { CLAUDE_CONFIG_DIR: _, ...env } = claudeEnv(api, folder.path);
  const space = stack.use(
    await TestWorkspace.start({ claudeBin: pinnedClaude(), claudeEnv: env, folder, asks }),
  );
  const path = space.configuration.path;
  const outside = folder.join("outside.txt");
  return { api, space, path, outside, folder, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

const write = (file_path: string) => reply.toolUse({ name: "Write", input: { file_path, content: "x" } });
const bash = (command: string) => reply.toolUse({ name: "Bash", input: { command, description: "d" } });

function answer(space: TestWorkspace, ask: string, verdict: AskVerdict): void {
  space.workspace.asks.answer(ask, { ...verdict, by: "api" }, testCaller);
}

test("Write outside the workspace is asked: allowed once, asked again, denied with the reason", async () => {
  await using real = await startReal();
  const { api, space, outside } = real;
  api.next(write(outside), reply.text("one"), write(`${outside}2`), reply.text("two"));
  const turn = space.submit("go");
  const ask = await turn.untilAsked();
  expect(ask).toMatchObject({ kind: "permission", tool: "Write", title: `Write: ${outside}`, always: [] });
  expect(existsSync(outside)).toBe(false);
  answer(space, ask.id, { behavior: "allow" });
  expect(await turn.outcome).toMatchObject(stopped);
  expect(await readFile(outside, "utf8")).toBe("x");
  expect(turn.answer).toMatch(/one$/);
  const next = space.submit("again");
  answer(space, (await next.untilAsked()).id, { behavior: "deny", message: "not there" });
  expect(await next.outcome).toMatchObject(stopped);
  expect(existsSync(`${outside}2`)).toBe(false);
  expect(JSON.stringify(api.conversations.at(-1)?.body.messages)).toContain("not there");
});

test("always allows a command for the session, and leaves nothing in the workspace", async () => {
  await using real = await startReal();
  const { api, space, path } = real;
  const command = "node count.mjs";
  await writeFile(
    `${path}/count.mjs`,
    'import { appendFileSync } from "node:fs"; appendFileSync("count", "x");',
  );
  api.next(bash(command), reply.text("one"), bash(command), reply.text("two"));
  const turn = space.submit("go");
  const ask = await turn.untilAsked();
  expect(ask).toMatchObject({
    tool: "Bash",
    title: `Bash: ${command}`,
    always: [`Bash(${command}) in this session`],
  });
  answer(space, ask.id, { behavior: "always" });
  await turn.outcome;
  const { turn: next } = await space.run("again");
  expect([next.asks, existsSync(`${path}/.claude`)]).toEqual([[], false]);
  expect(await readFile(`${path}/count`, "utf8")).toBe("xx");
});

test("what always would allow outside the workspace is not offered", async () => {
  await using real = await startReal();
  const { api, space } = real;
  api.next(reply.toolUse({ name: "Read", input: { file_path: "/etc/hostname" } }), reply.text("one"));
  const turn = space.submit("go");
  const ask = await turn.untilAsked();
  expect([ask.tool, ask.always]).toEqual(["Read", []]);
  answer(space, ask.id, { behavior: "always" });
  expect(await turn.outcome).toMatchObject(stopped);
  expect(turn.settled).toMatchObject([{ behavior: "allow" }]);
});

test("rules of the configuration are heeded without an ask", async () => {
  await using real = await startReal({
    allow: ["Bash(touch:*)", "Bash(mkdir:*)"],
    deny: ["Bash(touch secret:*)"],
  });
  const { api, space, path } = real;
  api.next(bash("touch a.txt"), bash("mkdir sub"), bash("touch secret"), reply.text("done"));
  const { turn, outcome } = await space.run("go");
  expect([outcome, turn.asks]).toEqual([expect.objectContaining(stopped), []]);
  expect(["a.txt", "sub", "secret"].map((name) => existsSync(`${path}/${name}`))).toEqual([
    true,
    true,
    false,
  ]);
});

test("nobody answers: denied, and the turn goes on", async () => {
  await using real = await startReal({ deadlineMs: 1_000 });
  const { api, space, outside } = real;
  api.next(write(outside), reply.text("then not"));
  const { turn, outcome } = await space.run("go");
  expect(outcome).toMatchObject(stopped);
  expect([turn.settled[0]?.by, existsSync(outside)]).toEqual(["deadline", false]);
  expect(JSON.stringify(api.conversations.at(-1)?.body.messages)).toContain("did not answer within 1000 ms");
});

test("the client leaves: Claude stops, and the session goes on on the same process", async () => {
  await using real = await startReal();
  const { api, space, outside } = real;
  api.next(write(outside));
  const turn = space.submit("go");
  const ask = await turn.untilAsked();
  space.workspace.cancel(turn.id, "its client left");
  expect(await turn.outcome).toMatchObject({ state: "cancelled" });
  expect(turn.settled).toEqual([{ ask: ask.id, behavior: "deny", by: "cancelled" }]);
  expect((await space.run("hi")).answer).toMatch(/hi$/);
  expect([existsSync(outside), api.conversations.length, space.exits]).toEqual([false, 2, []]);
});

test("a drain denies, and the turn ends well", async () => {
  await using real = await startReal();
  const { api, space, outside } = real;
  api.next(write(outside), reply.text("later then"));
  const turn = space.submit("go");
  await turn.untilAsked();
  await space.workspace.drain();
  expect(await turn.outcome).toMatchObject(stopped);
  expect(turn.answer).toMatch(/later then$/);
});

test("a question of Claude's gets its answer", async () => {
  await using real = await startReal();
  const { api, space } = real;
  const options = [
    { label: "Red", description: "warm" },
    { label: "Blue", description: "cold" },
  ];
  const questions = [{ question: "Which colour?", header: "Colour", multiSelect: false, options }];
  api.next(reply.toolUse({ name: "AskUserQuestion", input: { questions } }), reply.text("so be it"));
  const turn = space.submit("go");
  const ask = await turn.untilAsked();
  expect(ask).toMatchObject({ kind: "question", title: "Which colour?", questions: [{ isMultiple: false }] });
  answer(space, ask.id, { behavior: "allow", message: "2" });
  expect(await turn.outcome).toMatchObject(stopped);
  expect(JSON.stringify(api.conversations.at(-1)?.body.messages)).toContain(
    JSON.stringify('"Which colour?"="Blue"').slice(1, -1),
  );
});

test("in the chat: the answer ends with the question, `yes` goes on with the same turn of Claude's", async () => {
  await using real = await startReal({ mode: "chat" });
  const { api, space, outside } = real;
  api.next(write(outside), reply.text("written"), write(`${outside}2`));
  const { turn: first, outcome } = await space.run("go");
  expect([outcome, existsSync(outside)]).toEqual([stopped, false]);
  const { turn: second } = await space.run("yes");
  expect([second.answer, second.settled, existsSync(outside)]).toEqual([
    "written",
    [{ ask: first.asks[0]!.id, behavior: "allow", by: "chat" }],
    true,
  ]);
  await space.run("once more");
  const { turn: other } = await space.run("no idea what you mean, forget it");
  expect(other.settled).toMatchObject([{ behavior: "deny" }]);
  await space.run("more");
  expect([existsSync(`${outside}2`), space.exits]).toEqual([false, []]);
});

test("in the chat: any other text stops Claude's turn, and is one of its own", async () => {
  await using real = await startReal({ mode: "chat" });
  const { api, space, outside } = real;
  api.next(write(outside));
  await space.run("go");
  const { turn } = await space.run("what does it say?");
  expect(turn.answer).toMatch(/what does it say\?$/);
  expect([turn.asks, existsSync(outside), space.exits]).toEqual([[], false, []]);
  expect(api.conversations).toHaveLength(2);
});

test("what a tool's server wants to know is an ask with fields", async () => {
  await using real = await startReal({ allow: ["mcp__elicits"] });
  const { api, space, path } = real;
  const server = `${path}/server.mjs`;
  await writeFile(server, ELICITING_SERVER);
  const mcpServers = { elicits: { command: process.execPath, args: [server] } };
  await mkdir(`${path}/.claude`);
  await writeFile(`${path}/.mcp.json`, JSON.stringify({ mcpServers }));
  await writeFile(`${path}/.claude/settings.json`, JSON.stringify({ enableAllProjectMcpServers: true }));
  api.next(reply.toolUse({ name: "mcp__elicits__want", input: {} }), reply.text("thanks"));
  const turn = space.submit("go");
  const ask = await turn.untilAsked();
  expect(ask).toMatchObject({ kind: "input", tool: "elicits", title: "elicits: Who are you?" });
  answer(space, ask.id, {
    behavior: "allow",
    answers: { "name: your name": "Ann", age: "41", nice: "TRUE" },
  });
  expect(await turn.outcome).toMatchObject(stopped);
  await eventually(() =>
    expect(JSON.stringify(api.conversations.at(-1)?.body.messages)).toContain(
      JSON.stringify(
        JSON.stringify({ action: "accept", content: { name: "Ann", age: 41, nice: true } }),
      ).slice(1, -1),
    ),
  );
});

/** One tool, which asks for three things and gives back what it is told. */
const ELICITING_SERVER = `
import { createInterface } from "node:readline";
const say = (message) => process.stdout.write(JSON.stringify({ jsonrpc: "2.0", ...message }) + "\\n");
let call;
createInterface({ input: process.stdin }).on("line", (text) => {
  const { id, method, params, result } = JSON.parse(text);
  if (method === "initialize") {
    const { protocolVersion } = params;
    say({ id, result: { protocolVersion, capabilities: { tools: {} }, serverInfo: { name: "e", version: "1" } } });
  } else if (method === "tools/list") {
    say({ id, result: { tools: [{ name: "want", inputSchema: { type: "object" }, _meta: { "anthropic/alwaysLoad": true } }] } });
  } else if (method === "tools/call") {
    call = id;
    const properties = {
      name: { type: "string", description: "your name" },
      age: { type: "integer" },
      nice: { type: "boolean" },
    };
    const requestedSchema = { type: "object", properties, required: ["name"] };
    say({ id: "e1", method: "elicitation/create", params: { message: "Who are you?", requestedSchema } });
  } else if (id === "e1") {
    say({ id: call, result: { content: [{ type: "text", text: JSON.stringify(result ?? "failed") }] } });
  } else if (id !== undefined && method !== undefined) say({ id, result: {} });
});
`;
