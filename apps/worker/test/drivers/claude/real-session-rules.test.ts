import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { claudeEnv, expectClean, MessagesStandIn, pinnedClaude, reply, tempFolder } from "@synthesis/testkit";
import * as z from "zod";
import { expect, test, vi } from "vitest";
import { allowedSettings } from "../../../src/drivers/claude/allowed-settings.ts";
import { ruleText } from "../../../src/drivers/claude/permission-rule.ts";
import { sessionRules } from "../../../src/drivers/claude/session-rules.ts";

expectClean();
vi.setConfig({ testTimeout: 60_000 });

const Line = z.looseObject({
  type: z.string(),
  request_id: z.string().optional(),
  request: z.looseObject({ input: z.looseObject({ file_path: z.string() }) }).optional(),
});
const ARGUMENTS = [
  "--input-format=stream-json",
  "--output-format=stream-json",
  "--permission-prompt-tool=stdio",
];

interface Run {
  /** Below the workspace, in the order in which Claude is to write them. */
  readonly files: readonly string[];
  readonly args?: readonly string[];
  /** What Claude is told with the first of its questions. */
  readonly told?: readonly object[];
}

/** Lets one real Claude write files, with leave for each; returns those that it asked about. */
async function asked(workspace: string, { files, args = [], told = [] }: Run): Promise<string[]> {
  await using api = await MessagesStandIn.start();
  await using home = await tempFolder();
  const paths = files.map((name) => `${workspace}/${name}`);
  const calls = paths.map((file_path) =>
    reply.toolUse({ name: "Write", input: { file_path, content: "x" } }),
  );
  api.next(...calls, reply.text("done"));
  const child = spawn(pinnedClaude(), ["-p", "--verbose", ...ARGUMENTS, ...args], {
    cwd: workspace,
    env: claudeEnv(api, home.path),
    stdio: ["pipe", "pipe", "ignore"],
    timeout: 30_000,
  });
  const say = (message: object) => child.stdin.write(`${JSON.stringify(message)}\n`);
  say({ type: "user", message: { role: "user", content: "go" } });
  const about: string[] = [];
  for await (const text of createInterface({ input: child.stdout })) {
    const { type, request_id, request } = Line.parse(JSON.parse(text));
    if (type === "result") child.stdin.end();
    if (type !== "control_request" || request === undefined) continue;
    about.push(request.input.file_path.slice(workspace.length + 1));
    const updatedPermissions = about.length === 1 ? told : [];
    const response = { behavior: "allow", updatedInput: request.input, updatedPermissions };
    say({ type: "control_response", response: { subtype: "success", request_id, response } });
  }
  return about;
}

const edit = (ruleContent: string) => ({
  type: "addRules",
  rules: [{ toolName: "Edit", ruleContent }],
  behavior: "allow",
  destination: "session",
});

test("a whole path in place of a rooted one holds for the process that is told it, and for one that starts with it", async () => {
  await using folder = await tempFolder();
  const told = sessionRules([edit("/src/**")], folder.path);
  expect(await asked(folder.path, { files: ["src/a", "src/b", "other"], told })).toEqual(["src/a", "other"]);
  const args = allowedSettings(told.flatMap(({ rules }) => rules).map(ruleText));
  expect(await asked(folder.path, { files: ["src/c", "another"], args })).toEqual(["another"]);
});

test("a rule for Claude's own folder holds for the process that is told it, rooted, and in no settings", async () => {
  await using folder = await tempFolder();
  const [a, b] = [".claude/skills/x/a", ".claude/skills/x/b"];
  const [rooted, whole] = ["/.claude/skills/x/**", `/${folder.path}/.claude/skills/x/**`];
  expect(await asked(folder.path, { files: [a, b], told: [edit(rooted)] })).toEqual([a]);
  expect(await asked(folder.path, { files: [a, b], told: [edit(whole)] })).toEqual([a, b]);
  const args = allowedSettings([`Edit(${rooted})`, `Edit(${whole})`, "Edit(.claude/skills/x/**)"]);
  expect(await asked(folder.path, { files: [a], args })).toEqual([a]);
});
