import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { promisify } from "node:util";
import {
  claudeEnv,
  eventually,
  expectClean,
  liveProcess,
  MessagesStandIn,
  pinnedClaude,
  reply,
  tempFolder,
} from "@synthesis/testkit";
import { expect, test } from "vitest";
import { said } from "./claude-peer.ts";
import { PLUGIN_DIR } from "./plugin-process.ts";
import { RealClaude, REPLY } from "./real-claude.ts";

expectClean({ timeoutMs: 5_000 });

const seen = { type: "seen", message_id: "t1" };
const bash = (command: string) => reply.toolUse({ name: "Bash", input: { command, description: "test" } });

test("its validator finds nothing to say against the plugin", async () => {
  await using home = await tempFolder();
  const env = claudeEnv({ url: "http://127.0.0.1:1" }, home.path);
  const args = ["plugin", "validate", "--strict", "--json", PLUGIN_DIR];
  const { stdout } = await promisify(execFile)(pinnedClaude(), args, { env });
  expect(JSON.parse(stdout)).toMatchObject({ success: true });
});

test("Claude answers by reply, without a question, and its hooks report the turn from end to end", async () => {
  await using claude = await RealClaude.start();
  claude.api.next(
    reply.toolUse({ name: REPLY, input: { text: "from ", final: false } }),
    reply.toolUse({ name: REPLY, input: { text: "Claude" } }),
    reply.text("done"),
  );
  await claude.show("t1", "hello");
  const used = { type: "progress", text: `[${REPLY}]\n`, message_id: "t1" };
  expect(await claude.hears(6)).toEqual([
    seen,
    used,
    { type: "reply", content: "from ", final: false, message_id: "t1" },
    used,
    { type: "reply", content: "Claude", final: true, message_id: "t1" },
    { type: "turn_over", message_id: "t1" },
  ]);
  expect(claude.api.conversations[0]?.body).toMatchObject({
    tools: expect.arrayContaining([expect.objectContaining({ name: REPLY })]),
  });
  expect(JSON.stringify(claude.api.conversations[0]?.body)).not.toContain(
    "mcp__plugin_synthesis_bridge__hook",
  );

  expect(await claude.end()).toEqual([0, null]);
  await claude.peer.closed; // the plugin has gone with its Claude
});

test("an answer that Claude gives as plain text reaches the bridge", async () => {
  await using claude = await RealClaude.start();
  claude.api.next(reply.text("just text"));
  await claude.show("t1", "hello");
  expect(await claude.hears(2)).toEqual([seen, { type: "turn_over", text: "just text", message_id: "t1" }]);
});

test("a failure of Claude's API fails the turn", async () => {
  await using claude = await RealClaude.start();
  claude.api.next(reply.status(403));
  await claude.show("t1", "hello");
  expect(await claude.hears(3)).toEqual([
    seen,
    { type: "failure", message: expect.stringContaining("403"), message_id: "t1" },
    { type: "turn_over", message_id: "t1" },
  ]);
});

test.for([{ behavior: "allow" }, { behavior: "deny", message: "not today" }])(
  "what Claude wants a permission for is asked, and the verdict holds: $behavior",
  async (verdict) => {
    await using claude = await RealClaude.start();
    claude.api.next(bash("touch it"), reply.text("done"));
    await claude.show("t1", "hello");
    const [, , ask] = await claude.peer.take(3);
    expect(said(ask!)).toMatchObject({ type: "ask", tool: "Bash", input: { command: "touch it" } });
    expect(existsSync(`${claude.folder}/it`)).toBe(false);
    claude.peer.send({ type: "verdict", id: ask!["id"], ...verdict });
    expect(await claude.hears(1)).toMatchObject([{ type: "turn_over", text: "done" }]);
    expect(existsSync(`${claude.folder}/it`)).toBe(verdict.behavior === "allow");
    if (verdict.message)
      expect(JSON.stringify(claude.api.conversations.at(-1)?.body)).toContain(verdict.message);
  },
);

test("what it suggests to allow is allowed for its session, and stands in no settings file", async () => {
  await using claude = await RealClaude.start();
  const command = "git init --quiet it";
  claude.api.next(bash(command), bash(command), reply.text("done"));
  await claude.show("t1", "hello");
  const [, , ask] = await claude.peer.take(3);
  const rule = { type: "addRules", rules: [expect.anything()], behavior: "allow", destination: "session" };
  expect(ask?.["suggestions"]).toEqual([rule]);
  claude.peer.send({ type: "verdict", id: ask!["id"], behavior: "allow", suggestion: 0 });
  expect(await claude.hears(2)).toMatchObject([
    { type: "progress", text: "[Bash]\n" },
    { type: "turn_over", text: "done" },
  ]);
  expect(existsSync(`${claude.folder}/it`)).toBe(true);
  expect(existsSync(`${claude.folder}/.claude/settings.local.json`)).toBe(false);
});

test("a cancelled Claude is stopped at its next tool, which does not run, and takes the next message", async () => {
  await using claude = await RealClaude.start();
  claude.api.next(bash("touch first"), bash("touch second"));
  await claude.show("t1", "hello");
  expect((await claude.hears(3)).at(-1)).toMatchObject({ type: "ask", tool: "Bash" });
  claude.peer.send({ type: "cancel", message_id: "t1" });
  expect(await claude.hears(2)).toEqual([
    { type: "cancelled", message_id: "t1" },
    { type: "turn_over", message_id: "t1" },
  ]);
  claude.api.next(reply.text("for the second"));
  await claude.show("t2", "again");
  expect(await claude.hears(2)).toMatchObject([
    { type: "seen", message_id: "t2" },
    { type: "turn_over", text: "for the second", message_id: "t2" },
  ]);
  expect(existsSync(`${claude.folder}/first`) || existsSync(`${claude.folder}/second`)).toBe(false);
});

test("the plugin is killed within a turn: it comes back with Claude's next use of it, and the turn is answered", async () => {
  await using claude = await RealClaude.start();
  const held = reply.gated();
  claude.api.next(held.reply);
  await claude.show("t1", "hello");
  expect(await claude.hears(1)).toEqual([seen]);
  const { plugin } = claude;
  process.kill(plugin, "SIGKILL");
  await eventually(() => expect(liveProcess(plugin)).toBeUndefined());
  const again = claude.reconnected("t1", 1);
  held.push("answered all the same");
  held.end();
  const peer = await again;
  const frames = [];
  do frames.push(said(await peer.next()));
  while (frames.at(-1)?.["type"] !== "turn_over");
  expect(frames.at(-1)).toEqual({ type: "turn_over", text: "answered all the same", message_id: "t1" });
});

test("in a Claude that Synthesis did not start, a turn is as without the plugin", async () => {
  await using home = await tempFolder();
  await using api = await MessagesStandIn.start();
  api.next(bash("touch it"), reply.text("to its owner"));
  const args = ["-p", "hello", "--permission-mode", "default", "--plugin-dir", PLUGIN_DIR];
  const env = { ...claudeEnv(api, home.path), SYNTHESIS_NODE: process.execPath };
  const run = promisify(execFile)(pinnedClaude(), args, { cwd: home.path, env });
  run.child.stdin?.end();
  expect(await run).toEqual({ stdout: "to its owner\n", stderr: "" });
  expect(existsSync(home.join("it"))).toBe(false);
  expect(JSON.stringify(api.conversations[0]?.body)).not.toContain(REPLY);
});
