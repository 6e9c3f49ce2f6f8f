import { existsSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
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
import type { RecordedTurn } from "../support/recorded-turn.ts";
import { openJournal } from "../support/test-journal.ts";
import { testCaller } from "../support/test-submit.ts";
import { TestWorkspace, type TestWorkspaceOptions } from "../support/test-workspace.ts";

expectClean();
vi.setConfig({ testTimeout: 60_000 });

/** A folder in which workers follow each other whose Claude is the real one. */
async function startReal(asks: TestWorkspaceOptions["asks"] = {}) {
  const stack = new AsyncDisposableStack();
  const api = stack.use(await MessagesStandIn.start());
  const folder = stack.use(await tempFolder());
  const { CLAUDE_CONFIG_DIR: _, ...env } = claudeEnv(api, folder.path);
  const options = { claudeBin: pinnedClaude(), claudeEnv: env, folder, asks };
  const open = async (epoch: number) => stack.use(await TestWorkspace.start({ ...options, epoch }));
  return { api, folder, open, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

const bash = (command: string) => reply.toolUse({ name: "Bash", input: { command, description: "d" } });
const append = (file: string) => `node -e "require('fs').appendFileSync('${file}', 'x')"`;
const write = (file_path: string) => reply.toolUse({ name: "Write", input: { file_path, content: "x" } });

async function allowAlways(space: TestWorkspace, turn: RecordedTurn): Promise<readonly string[]> {
  const { id, always } = await turn.untilAsked();
  space.workspace.asks.answer(id, { behavior: "always", by: "api" }, testCaller);
  await turn.outcome;
  return always;
}

/** Denies each of the `count` asks of a turn; returns what they were about. */
async function denyAll(space: TestWorkspace, turn: RecordedTurn, count: number): Promise<readonly string[]> {
  const titles: string[] = [];
  for (let index = 1; index <= count; index++) {
    const { id, title } = await turn.untilAsked(index);
    space.workspace.asks.answer(id, { behavior: "deny", by: "api" }, testCaller);
    titles.push(title);
  }
  expect(await turn.outcome).toMatchObject({ state: "completed" });
  expect(turn.asks).toHaveLength(count);
  return titles;
}

test("W-20: always holds for the process, one that was evicted or killed, and the next worker; another command asks", async () => {
  await using real = await startReal();
  const { api, folder } = real;
  api.script(() => reply.text("done"));
  let space = await real.open(1);
  api.next(bash(append("count")));
  expect(await allowAlways(space, space.submit("first"))).toEqual([
    `Bash(${append("count")}) in this session`,
  ]);
  const again = async (): Promise<number> => {
    api.next(bash(append("count")));
    const { turn, outcome } = await space.run("again");
    expect([outcome.state, turn.asks]).toEqual(["completed", []]);
    return (await readFile(folder.join("project", "count"), "utf8")).length;
  };
  expect(await again()).toBe(2);
  space.workspace.evictOldest();
  expect(await again()).toBe(3);
  process.kill(space.workspace.session("s").session.pid ?? 0, "SIGKILL");
  await eventually(() => expect(space.exits).toHaveLength(2));
  expect(await again()).toBe(4);
  await space.close();
  space = await real.open(2);
  expect(await again()).toBe(5);
  api.next(bash(append("other")));
  expect(await denyAll(space, space.submit("another"), 1)).toEqual([`Bash: ${append("other")}`]);
  expect(space.workspace.session("s").allowed).toEqual([
    String.raw`Bash(node -e "require\('fs'\).appendFileSync\('count', 'x'\)")`,
  ]);
});

test("W-20: the rest of a command that always leaves open is as open to the next process", async () => {
  await using real = await startReal();
  const { api, folder } = real;
  const space = await real.open(1);
  api.next(bash("git init --quiet one"), reply.text("done"));
  expect(await allowAlways(space, space.submit("go"))).toEqual(["Bash(git init *) in this session"]);
  space.workspace.evictOldest();
  api.next(bash("git init --quiet two"), bash("git clean -fdx"), reply.text("done"));
  expect(await denyAll(space, space.submit("again"), 1)).toEqual(["Bash: git clean -fdx"]);
  expect(existsSync(folder.join("project", "two", ".git"))).toBe(true);
});

test("W-20: what only the process that suggests it would go by is not offered", async () => {
  await using real = await startReal();
  const { api, folder } = real;
  const space = await real.open(1);
  const skill = (name: string) => folder.join("project", ".claude", "skills", "x", name);
  api.next(write(skill("a.md")), write(skill("b.md")), reply.text("done"));
  const turn = space.submit("go");
  for (const count of [1, 2]) {
    const { id, always } = await turn.untilAsked(count);
    expect(always).toEqual([]);
    space.workspace.asks.answer(id, { behavior: "always", by: "api" }, testCaller);
  }
  expect(await turn.outcome).toMatchObject({ state: "completed" });
  expect(["a.md", "b.md"].filter((name) => existsSync(skill(name)))).toHaveLength(2);
  expect(space.workspace.session("s").allowed).toEqual([]);
});

test("W-20: rules of each form hold at the start, but not what is outside of the workspace, nor what is denied", async () => {
  await using real = await startReal({ deny: ["Bash(touch secret:*)", "mcp__x__z"] });
  const { api, folder } = real;
  api.script(() => reply.text("done"));
  const path = folder.join("project");
  const first = await real.open(1);
  await first.run("hi");
  await first.close();
  const journal = openJournal(folder.join("journal.sqlite"), { epoch: 2 });
  journal.allow("s", [
    { toolName: "Bash", ruleContent: "touch:*" },
    { toolName: "Edit", ruleContent: `/${path}/whole/**` },
    { toolName: "Edit", ruleContent: "named/**" },
    { toolName: "Read", ruleContent: "//etc/**" },
    { toolName: "mcp__x__y" },
    { toolName: "mcp__x__z" },
  ]);
  journal.close();
  await writeFile(`${path}/server.mjs`, SERVER);
  const mcpServers = { x: { command: process.execPath, args: [`${path}/server.mjs`] } };
  await writeFile(`${path}/.mcp.json`, JSON.stringify({ mcpServers }));
  const project = folder.join("claude-config", "settings.json");
  await writeFile(project, JSON.stringify({ enableAllProjectMcpServers: true }));
  const space = await real.open(3);
  api.next(
    bash("touch made secret.txt"),
    bash("touch secret"),
    ...["whole", "named", "other"].map((name) => write(`${path}/${name}/a.txt`)),
    reply.toolUse({ name: "Read", input: { file_path: "/etc/hostname" } }),
    ...["y", "z"].map((name) => reply.toolUse({ name: `mcp__x__${name}`, input: {} })),
  );
  expect(await denyAll(space, space.submit("go"), 2)).toEqual([
    `Write: ${path}/other/a.txt`,
    "Read: /etc/hostname",
  ]);
  const there = ["made", "secret", "whole/a.txt", "named/a.txt", "y", "z"];
  expect(there.filter((name) => existsSync(`${path}/${name}`))).toEqual([
    "made",
    "whole/a.txt",
    "named/a.txt",
    "y",
  ]);
});

/** Two tools; each makes a file of its name. */
const SERVER = `
import { writeFileSync } from "node:fs";
import { createInterface } from "node:readline";
const say = (message) => process.stdout.write(JSON.stringify({ jsonrpc: "2.0", ...message }) + "\\n");
const tools = ["y", "z"].map((name) => ({ name, inputSchema: { type: "object" }, _meta: { "anthropic/alwaysLoad": true } }));
createInterface({ input: process.stdin }).on("line", (text) => {
  const { id, method, params } = JSON.parse(text);
  if (method === "initialize") {
    const { protocolVersion } = params;
    say({ id, result: { protocolVersion, capabilities: { tools: {} }, serverInfo: { name: "x", version: "1" } } });
  } else if (method === "tools/list") say({ id, result: { tools } });
  else if (method === "tools/call") {
    writeFileSync(params.name, "");
    say({ id, result: { content: [{ type: "text", text: "done" }] } });
  } else if (id !== undefined) say({ id, result: {} });
});
`;
