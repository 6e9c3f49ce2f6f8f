import { randomUUID } from "node:crypto";
import type { IncomingMessage } from "node:http";
import type { AskAnswer } from "@synthesis/protocol";
import { expectClean } from "@synthesis/testkit";
import { expect, test, vi } from "vitest";
import { InstanceAsks } from "../../src/instance-asks.ts";
import { makeAsk, workerWith } from "../support/fake-asks.ts";
import { FakeInstance } from "../support/fake-instance.ts";
import { runCli, type CliRun } from "../support/run-cli.ts";

expectClean();
vi.setConfig({ testTimeout: 60_000 }); // real processes on a busy machine

const command = async ({ places }: FakeInstance, ...args: readonly string[]): Promise<CliRun> =>
  runCli(["asks", ...args, ...places]);
const silent = "the workspace's worker does not answer: try again in a moment";

test("open asks are listed over all workspaces, the oldest first; who does not answer is named", async () => {
  const early = makeAsk({ askedAt: 1, deadlineAt: Date.now() - 1 });
  const late = makeAsk({ askedAt: 2, tool: "Bash", title: "Run a \u001B[2Jcommand\nnow" });
  await using instance = await FakeInstance.start({ alpha: workerWith([late]), beta: workerWith([early]) });
  const { code, out, err } = await command(instance);
  expect([code, err]).toEqual([0, ""]);
  const lines = out.trimEnd().split("\n");
  expect(lines[0]).toMatch(/^ASK +WORKSPACE +AGENT +SESSION +TOOL +LEFT +TITLE$/);
  expect(lines[1]).toMatch(new RegExp(`^${early.id} +beta +site +ses_1 +Write +0s +Write notes.txt$`));
  expect(lines[2]).toMatch(new RegExp(`^${late.id} +alpha .* Bash +9m \\d\\ds +Run a +\\[2Jcommand now$`));
  expect(lines).toHaveLength(3);

  await using silence = await FakeInstance.start({ alpha: workerWith([]), beta: "dead" });
  expect(await command(silence, "list")).toEqual({ code: 1, out: "", err: `beta: ${silent}\n` });
  expect(await command(silence, "--workspace", "alpha")).toEqual({
    code: 0,
    out: "No agent that is at work asks anything.\n",
    err: "",
  });
});

test("an ask is shown with what it would do, what always would allow, and its questions", async () => {
  const questions = [
    {
      question: "Which way?",
      options: [{ label: "Left", description: "by the sea" }, { label: "Right" }],
      isMultiple: false,
    },
  ];
  const ask = makeAsk({ always: ["Write(notes.txt)"], questions });
  await using instance = await FakeInstance.start({ alpha: workerWith([ask]), beta: workerWith([]) });
  const { code, out } = await command(instance, "show", ask.id);
  expect(code).toBe(0);
  for (const line of [
    `ask        ${ask.id}`,
    "workspace  alpha",
    "input      file_path: notes.txt",
    "always     Write(notes.txt)",
    "question   Which way?",
    "  option   Left: by the sea",
    "  option   Right",
  ])
    expect(out.split("\n")).toContain(line);
});

test("what the tool would be called with is shown whole, in lines in which nothing hides", async () => {
  const text = `true ${"x".repeat(9_000)}\n  \u202Etouch\u001B[8m HIDDEN`;
  const ask = makeAsk({ input: JSON.stringify({ command: text, description: "d" }) });
  const cut = makeAsk({ input: '{"command":"true…"}}' });
  await using instance = await FakeInstance.start({ alpha: workerWith([ask, cut]) });
  const { out } = await command(instance, "show", ask.id);
  const lines = [
    "input      command:",
    `             true ${"x".repeat(9_000)}`,
    String.raw`               \u202etouch\u001b[8m HIDDEN`,
    "           description: d",
  ];
  expect(out).toContain(`\n${lines.join("\n")}\nleft `);
  expect((await command(instance, "show", cut.id)).out).toContain('input      {"command":"true…"}}\n');
});

test("a verdict settles an ask once, and says where always is not offered", async () => {
  const [plain, lasting] = [makeAsk(), makeAsk({ always: ["Write"] })];
  const said: AskAnswer[] = [];
  await using instance = await FakeInstance.start({
    alpha: workerWith([]),
    beta: workerWith([plain, lasting], said),
  });
  expect(await command(instance, "always", plain.id)).toEqual({
    code: 0,
    out: `beta: allow ${plain.id} (always is not offered for it)\n`,
    err: "",
  });
  expect((await command(instance, "always", lasting.id)).out).toBe(`beta: always ${lasting.id}\n`);
  for (const what of ["deny", "show"])
    expect(await command(instance, what, plain.id)).toEqual({
      code: 1,
      out: "",
      err: "the ask has its verdict: allow, by cli\n",
    });
  expect(said).toEqual([
    { behavior: "always", by: "cli" },
    { behavior: "always", by: "cli" },
  ]);
});

test("a verdict has a message, and answers by question or its header", async () => {
  const option = { options: [{ label: "Left" }], isMultiple: false };
  const questions = [
    { question: "Is a=b?", header: "Sum", ...option },
    { question: "Which way?", ...option },
  ];
  const said: AskAnswer[] = [];
  const [ask, plain] = [makeAsk({ kind: "question", questions }), makeAsk()];
  await using instance = await FakeInstance.start({ alpha: workerWith([ask, plain], said) });
  const wrong = await command(instance, "allow", ask.id, "--answer", "Where?=Here");
  expect([wrong.code, wrong.err]).toEqual([
    1,
    '--answer "Where?=Here" answers no question of the ask: it asks "Is a=b?", "Which way?"\n',
  ]);
  const args = ["--answer", "Is a=b?=yes", "--answer", "Which way?=Left=West"];
  expect((await command(instance, "allow", ask.id, ...args)).code).toBe(0);
  expect((await command(instance, "deny", plain.id, "--message", "not there")).code).toBe(0);
  expect(said).toEqual([
    { behavior: "allow", answers: { "Is a=b?": "yes", "Which way?": "Left=West" }, by: "cli" },
    { behavior: "deny", message: "not there", by: "cli" },
  ]);
});

test("an ask that nobody knows is one line and exit code 1; it may be where nobody answers", async () => {
  const id = randomUUID();
  await using instance = await FakeInstance.start({ alpha: workerWith([]) });
  const unknown = `no workspace that is at work knows the ask ${id}: synthesis asks lists those that are open\n`;
  for (const what of ["show", "allow", "always", "deny"])
    expect(await command(instance, what, id)).toEqual({ code: 1, out: "", err: unknown });
  await using silence = await FakeInstance.start({ alpha: workerWith([]), beta: "dead" });
  expect(await command(silence, "allow", id)).toEqual({ code: 1, out: "", err: `beta: ${silent}\n` });
});

test("who does not answer delays no verdict on what another worker knows, and is told none", async () => {
  const ask = makeAsk();
  const heard: IncomingMessage[] = [];
  await using instance = await FakeInstance.start({
    alpha: (request) => void heard.push(request),
    beta: workerWith([ask]),
  });
  expect(await new InstanceAsks(instance.workers()).find(ask.id)).toMatchObject({
    workspace: "beta",
    ask: { id: ask.id },
  });
  expect(heard.map(({ method }) => method)).toEqual(["GET"]);
});

test("help says what there is", async () => {
  const { code, out } = await runCli(["asks", "--help"]);
  expect(code).toBe(0);
  for (const word of ["list", "show", "allow", "always", "deny", "The first verdict counts"])
    expect(out).toContain(word);
  expect((await runCli(["asks", "deny", "--help"])).out).toContain("--message <text>");
});

test("a no takes a reason, and no answer to a question", async () => {
  await using instance = await FakeInstance.start({ alpha: workerWith([]) });
  const { code, err } = await command(instance, "deny", randomUUID(), "--answer", "Which way?=Left");
  expect([code, err]).toEqual([1, expect.stringContaining("unknown option '--answer'")]);
});
