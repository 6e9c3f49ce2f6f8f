import { globSync } from "node:fs";
import { readdir, readFile, symlink, writeFile } from "node:fs/promises";
import { buffer } from "node:stream/consumers";
import type { AgentSettings } from "@synthesis/config";
import {
  claudeEnv,
  descendants,
  eventually,
  expectClean,
  MessagesStandIn,
  pinnedClaude,
  reply,
  tempFolder,
  type RecordedRequest,
  type TempFolder,
} from "@synthesis/testkit";
import { expect, test, vi } from "vitest";
import { defaultAsks } from "../support/default-asks.ts";
import { TestWorkspace, type SubmitOptions } from "../support/test-workspace.ts";

expectClean();
vi.setConfig({ testTimeout: 60_000 });

type Headless = Extract<AgentSettings, { driver: "headless" }>;

const filesUrl = "http://127.0.0.1:9/v1/files";
const LINK = /http:\/\/127\.0\.0\.1:9\/v1\/files\/(file-[\w-]{32})\/content/g;
const TOOL = "mcp__synthesis__attach_file";
const stopped = { state: "completed", finishReason: "stop" };

/** A workspace whose Claude is the real one, with a chart in its folder. */
async function startReal(agent: Partial<Headless> = {}) {
  const stack = new AsyncDisposableStack();
  const api = stack.use(await MessagesStandIn.start());
  const folder = stack.use(await tempFolder());
  const { CLAUDE_CONFIG_DIR: _, ...env } = claudeEnv(api, folder.path);
  const claude: Headless = {
    driver: "headless",
    workspace: "w",
    permissionMode: "default",
    onInterrupt: "report",
    instructions: "append",
    reasoning: "full",
    files: "link",
    asks: defaultAsks,
    ...agent,
  };
  const options = { claudeBin: pinnedClaude(), claudeEnv: env, folder, agents: { claude } };
  const space = stack.use(await TestWorkspace.start(options));
  await writeFile(folder.join("project", "chart.png"), "picture");
  await writeFile(folder.join("project", "data.csv"), "a,b");
  return { api, space, folder, options, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

const attach = (...paths: string[]) => paths.map((path) => ({ name: TOOL, input: { path } }));
const submit = (space: TestWorkspace, prompt: string, options: SubmitOptions = {}) =>
  space.submit(prompt, { filesUrl, ...options });
const plain = (answer: string) => answer.replaceAll(LINK, "URL");
const toolsOf = (request: RecordedRequest | undefined) => (request?.body.tools ?? []).map(({ name }) => name);
const lastResult = ({ conversations }: MessagesStandIn) =>
  JSON.stringify(conversations.at(-1)?.body.messages?.findLast(({ role }) => role === "user")?.content);

/** Waits till Claude's transcript has the result of a call, without which it would make the call again. */
async function untilOnDisk(folder: TempFolder): Promise<void> {
  const [file = ""] = globSync(folder.join("claude-config", "projects", "*", "*.jsonl"));
  await eventually(async () => expect(await readFile(file, "utf8")).toContain('"tool_result"'));
}

test.for(["default", "acceptEdits", "plan", "dontAsk", "bypassPermissions"])(
  "in mode %s Claude attaches without asking: the link stands between what it says",
  async (permissionMode, { skip }) => {
    if (permissionMode === "bypassPermissions" && process.getuid?.() === 0)
      skip("Claude refuses that mode as root");
    await using real = await startReal({ permissionMode });
    const { api, space } = real;
    api.next(reply.toolUse(attach("chart.png"), { text: "Here it is." }), reply.text("Done."));
    const turn = submit(space, "draw");
    expect(await turn.outcome).toMatchObject(stopped);
    expect(plain(turn.answer)).toBe("Here it is.\n\n![chart.png](URL)\n\nDone.");
    expect(turn.asks).toEqual([]);
    expect(toolsOf(api.conversations[0])).toContain(TOOL);
    expect(lastResult(api)).toContain('"attached"');
    const [, id = ""] = LINK.exec(turn.answer) ?? [];
    LINK.lastIndex = 0;
    const { handle } = await space.workspace.files.open(id);
    expect((await buffer(handle.createReadStream())).toString()).toBe("picture");
  },
);

test("several at once stand in the order of their calls; one that fails is said to Claude alone", async () => {
  await using real = await startReal();
  const { api, space, folder } = real;
  await writeFile(folder.join("secret.txt"), "secret");
  await symlink(folder.join("secret.txt"), folder.join("project", "link.txt"));
  api.next(
    reply.toolUse(attach("data.csv", "link.txt", "none.pdf", `${folder.path}/project/chart.png`)),
    reply.text("Two of four."),
  );
  const turn = submit(space, "all of them");
  expect(await turn.outcome).toMatchObject(stopped);
  expect(plain(turn.answer)).toBe("[data.csv](URL)\n\n![chart.png](URL)\n\nTwo of four.");
  const told = lastResult(api);
  expect(told).toContain("is not in the workspace: copy it there first");
  expect(told).toContain("there is no file");
  expect(told.match(/"is_error":true/g)).toHaveLength(2);
});

test("files: data shows an image itself", async () => {
  await using real = await startReal({ files: "data" });
  const { api, space } = real;
  api.next(reply.toolUse(attach("chart.png", "data.csv")), reply.text("Done."));
  const turn = submit(space, "draw");
  await turn.outcome;
  const data = Buffer.from("picture").toString("base64");
  expect(plain(turn.answer)).toBe(`![chart.png](data:image/png;base64,${data})\n\n[data.csv](URL)\n\nDone.`);
});

test("files: off, and a question beside all conversations: there is no such tool", async () => {
  await using off = await startReal({ files: "off" });
  await submit(off.space, "hi").outcome;
  expect(toolsOf(off.api.conversations[0])).not.toContain(TOOL);
  await using stateless = await startReal();
  await submit(stateless.space, "title?", { isStateless: true, session: "t" }).outcome;
  expect(toolsOf(stateless.api.conversations[0])).toEqual([]);
});

test("rules of the agent's that deny the tool hold", async () => {
  await using real = await startReal({ asks: { ...defaultAsks, deny: [TOOL] } });
  const { api, space } = real;
  api.next(reply.toolUse(attach("chart.png")), reply.text("I may not."));
  const turn = submit(space, "draw");
  await turn.outcome;
  expect(turn.answer).toBe("I may not.");
});

test("beside a function of the client's", async () => {
  await using real = await startReal();
  const { api, space } = real;
  const call = { id: "toolu_A", name: "mcp__synthesis_client__f", input: {} };
  api.next(reply.toolUse([...attach("chart.png"), call], { text: "First" }));
  const tools = [{ name: "f", description: "d", parameters: {} }];
  const turn = submit(space, "draw", { tools });
  expect(await turn.outcome).toMatchObject({ finishReason: "tool_calls" });
  expect(plain(turn.answer)).toBe("First\n\n![chart.png](URL)");
  expect(turn.calls).toHaveLength(2);
});

test("a turn that another process finishes keeps the link, and nothing is said or attached twice", async () => {
  await using real = await startReal({ onInterrupt: "resume" });
  const { api, space, folder } = real;
  const held = reply.gated();
  api.next(reply.toolUse(attach("chart.png"), { text: "Here it is." }), held.reply, reply.text("And done."));
  const turn = submit(space, "draw");
  held.push("And");
  await turn.untilText("And");
  await untilOnDisk(folder);
  const shown = turn.answer;
  const claude = descendants().find(({ command }) => command.includes("stream-json"));
  process.kill(claude!.pid, "SIGKILL");
  expect(await turn.outcome).toMatchObject(stopped);
  expect(turn.answer).toBe(`${shown} done.`);
  expect(plain(turn.answer)).toBe("Here it is.\n\n![chart.png](URL)\n\nAnd done.");
  expect(turn.numbers).toEqual(turn.numbers.map((_, index) => index + 1));
  expect(await readdir(folder.join("files"))).toHaveLength(1);
  expect(api.conversations).toHaveLength(3);
});

test("a turn that the next generation of the worker finishes keeps the link", async () => {
  await using real = await startReal({ onInterrupt: "resume" });
  const { api, space, folder, options } = real;
  const held = reply.gated();
  api.next(reply.toolUse(attach("chart.png"), { text: "Here it is." }), held.reply, reply.text("And done."));
  const turn = submit(space, "draw");
  held.push("And");
  await turn.untilText("And");
  await untilOnDisk(folder);
  await space.close();
  await using next = await TestWorkspace.start({ ...options, epoch: 2 });
  const followed = next.follow(turn.id);
  expect(await followed.outcome).toMatchObject(stopped);
  expect(followed.answer).toBe(`${turn.answer} done.`);
  expect(plain(followed.answer)).toBe("Here it is.\n\n![chart.png](URL)\n\nAnd done.");
});
