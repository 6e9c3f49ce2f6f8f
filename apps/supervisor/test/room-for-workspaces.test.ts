import { HeadlessAsks } from "@synthesis/config";
import { expectClean, fakeClaudeCommand, tempFolder, type TempFolder } from "@synthesis/testkit";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { settingsIn, testKey } from "./support/settings.ts";
import { SupervisorProcess } from "./support/supervisor-process.ts";

expectClean();
vi.setConfig({ testTimeout: 20_000, hookTimeout: 20_000 }); // real processes on a busy machine

let folder: TempFolder;
let supervisor: SupervisorProcess;
beforeEach(async () => {
  folder = await tempFolder();
});
afterEach(async () => {
  await supervisor.end();
  await folder[Symbol.asyncDispose]();
});

test("at the bound a worker whose agents are warm makes room, and its conversations are resumed later", async () => {
  const agent = {
    driver: "headless",
    permissionMode: "default",
    onInterrupt: "report",
    instructions: "append",
    reasoning: "full",
    files: "link",
    asks: HeadlessAsks.parse({}),
  } as const;
  const bin = await fakeClaudeCommand(folder.path);
  supervisor = await SupervisorProcess.start({
    ...(await settingsIn(folder, { workspaces: 1 })),
    agents: { a: { ...agent, workspace: "a" }, b: { ...agent, workspace: "b" } },
    claude: { bin, env: { CLAUDE_CONFIG_DIR: folder.join("claude-config") } },
  });
  const answers: string[] = [];
  for (const model of ["a", "b", "a"]) {
    const response = await supervisor.fetch("/v1/chat/completions", {
      method: "POST",
      headers: {
        authorization: `Bearer ${testKey}`,
        "content-type": "application/json",
        "x-openclaw-session-key": "k",
      },
      body: JSON.stringify({ model, messages: [{ role: "user", content: model }] }),
    });
    expect([model, response.status]).toEqual([model, 200]);
    const body = (await response.json()) as { choices: { message: { content: string } }[] };
    answers.push(body.choices[0]!.message.content);
  }
  expect(answers).toEqual([
    "fake: a (turn 1 of this conversation)",
    "fake: b (turn 1 of this conversation)",
    "fake: a (turn 2 of this conversation)",
  ]);
});
