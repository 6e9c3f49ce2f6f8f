import { readdirSync, readFileSync, rmSync } from "node:fs";
import { expectClean, liveProcess } from "@synthesis/testkit";
import { expect, test } from "vitest";
import { locatedSession } from "../../support/test-submit.ts";
import { TestWorkspace } from "../../support/test-workspace.ts";
import { defaultAsks } from "../../support/default-asks.ts";

expectClean();

/** The model of the last answer in the fake's one transcript. */
function lastModel(space: TestWorkspace): unknown {
  const projects = space.folder.join("claude-config", "projects");
  const names = readdirSync(projects, { recursive: true, encoding: "utf8" });
  const file = names.find((name) => name.endsWith(".jsonl"));
  const last = readFileSync(`${projects}/${file}`, "utf8").trimEnd().split("\n").at(-1);
  return JSON.parse(last ?? "").message.model;
}

test("a turn is accepted, and completed with its usage", async () => {
  await using space = await TestWorkspace.start();
  const { turn, outcome } = await space.run("hello there");
  expect(turn.answer).toBe("fake: hello there (turn 1 of this conversation)");
  expect(turn.events[0]).toBe("accepted");
  expect(turn.events.at(-1)).toBe("completed");
  expect(outcome).toEqual({
    state: "completed",
    finishReason: "stop",
    usage: { inputTokens: 12, cachedInputTokens: 0, outputTokens: 5 },
    costUsd: 0.000148,
  });
});

test("text is handed on as it comes, before the end is known", async () => {
  await using space = await TestWorkspace.start();
  const turn = space.submit("!stall");
  await turn.untilText("one");
  expect(turn.events.at(-1)).toBe("text:one");
  space.workspace.cancel(turn.id, "the test saw enough");
  expect(await turn.outcome).toMatchObject({ state: "cancelled" });
});

test("two turns run on one process, in the workspace's folder", async () => {
  await using space = await TestWorkspace.start();
  const pid = (await space.run("!pid")).answer;
  expect((await space.run("!pid")).answer).toBe(pid);
  expect((await space.run("!cwd")).answer).toBe(space.configuration.path);
  expect((await space.run("hi")).answer).toContain("turn 4 of this conversation");
  expect(space.workspace.status().processes).toBe(1);
});

test("client text that looks like a command or a file stays plain text", async () => {
  await using space = await TestWorkspace.start();
  expect((await space.run("/clear")).answer).toBe("fake: /clear (turn 1 of this conversation)");
  expect((await space.run("see @/etc/hostname")).answer).toBe(
    "fake: see @/etc/hostname (turn 2 of this conversation)",
  );
  expect((await space.run('{"type":"control_request"}\n{"type":"user"}')).answer).toContain("(turn 3 of");
});

test("Claude gets its mark and none of Synthesis's secrets", async () => {
  process.env["SYNTHESIS_API_KEY"] = "secret";
  await using space = await TestWorkspace.start();
  const { names, values } = JSON.parse((await space.run("!env")).answer);
  delete process.env["SYNTHESIS_API_KEY"];
  expect(Object.keys(values)).toEqual(["SYNTHESIS_MARK"]);
  expect(names).toContain("CLAUDE_CONFIG_DIR");
  expect(names).not.toContain("NODE_OPTIONS");
});

test("the model of a turn is Claude's for that turn only", async () => {
  const agent = {
    driver: "headless",
    workspace: "w",
    permissionMode: "default",
    onInterrupt: "report",
    instructions: "append",
    reasoning: "full",
    files: "link",
    asks: defaultAsks,
    model: "sonnet",
  } as const;
  await using space = await TestWorkspace.start({ agents: { claude: agent } });
  expect((await space.run("!argv")).answer).toContain('"--model=sonnet"');
  await space.run("hi", { model: "opus" });
  expect(lastModel(space)).toBe("opus");
  await space.run("hi");
  expect(lastModel(space)).toBe("sonnet");
});

test.for([
  { prompt: "!restream", answer: "one two three four" },
  { prompt: "!fallback", answer: "one two three four" },
  { prompt: "!tool", answer: "before the tool\n\nafter the tool" },
  { prompt: "!garbage", answer: "fake: !garbage (turn 1 of this conversation)" },
  { prompt: "!foreign-result", answer: "fake: !foreign-result (turn 1 of this conversation)" },
  { prompt: "!retry 529", answer: "fake: !retry 529 (turn 1 of this conversation)" },
])("$prompt completes with its text once", async ({ prompt, answer }) => {
  await using space = await TestWorkspace.start();
  const run = await space.run(prompt);
  expect(run).toMatchObject({ answer, outcome: { state: "completed" } });
});

test("an answer that diverges from what was sent fails, and the process goes on", async () => {
  await using space = await TestWorkspace.start();
  const pid = (await space.run("!pid")).answer;
  const { outcome, answer } = await space.run("!diverge");
  expect(outcome).toMatchObject({ state: "failed", error: { code: "answer_diverged" } });
  expect(answer).toBe("one two three");
  expect((await space.run("!pid")).answer).toBe(pid);
});

test("a huge answer comes whole", async () => {
  await using space = await TestWorkspace.start();
  const { answer, outcome } = await space.run("!huge 3000000");
  expect(outcome.state).toBe("completed");
  expect(answer).toHaveLength(3_000_000);
});

test("a line beyond the bound ends the process and the turn; the next turn resumes", async () => {
  await using space = await TestWorkspace.start({ limits: { lineBytes: 10_000 } });
  const { outcome } = await space.run("!huge 2000000");
  expect(outcome).toMatchObject({
    state: "interrupted",
    error: { message: expect.stringContaining("a line of more than 10000 bytes") },
  });
  expect(space.exits).toEqual(["line_too_long"]);
  expect((await space.run("hi")).answer).toContain("turn 2 of this conversation");
});

test.for([
  { prompt: "!crash-mid", answer: "cut short" },
  { prompt: "!half-line", answer: "" },
  { prompt: "!exit 0", answer: "" },
])(
  "a process that dies by $prompt interrupts its turn, and the next one resumes",
  async ({ prompt, answer }) => {
    await using space = await TestWorkspace.start();
    const run = await space.run(prompt);
    expect(run).toMatchObject({
      answer,
      outcome: { state: "interrupted", error: { code: "turn_interrupted" } },
    });
    expect((await space.run("hi")).answer).toContain("turn 2 of this conversation");
  },
);

test.for([
  { prompt: "!error 429 slow down", code: "upstream_rate_limit" },
  { prompt: "!error 400 prompt is too long", code: "context_length_exceeded" },
  { prompt: "!error 500", code: "upstream_error" },
])("$prompt fails with $code, and the process goes on", async ({ prompt, code }) => {
  await using space = await TestWorkspace.start();
  const { outcome, answer } = await space.run(prompt);
  expect(outcome).toMatchObject({ state: "failed", error: { code } });
  expect(answer).toBe("");
  expect((await space.run("hi")).answer).toContain("turn 2 of this conversation");
  expect(space.exits).toEqual([]);
});

test("a retry after a 401 is hopeless: the turn fails at once", async () => {
  await using space = await TestWorkspace.start();
  const { outcome } = await space.run(`!retry 401\n${"word ".repeat(50_000)}`);
  expect(outcome).toMatchObject({ state: "failed", error: { code: "upstream_authentication" } });
});

test("a conversation that Claude lost is begun anew under another name", async () => {
  await using space = await TestWorkspace.start();
  await space.run("hi");
  space.workspace.evictOldest();
  rmSync(space.folder.join("claude-config"), { recursive: true });
  const { answer, outcome } = await space.run("hi again");
  expect(outcome.state).toBe("completed");
  expect(answer).toBe("fake: hi again (turn 1 of this conversation)");
  expect(space.log.fieldsOf("session.reset")).toHaveLength(1);
  expect((await space.run("and again")).answer).toContain("turn 2 of this conversation");
});

test("a conversation that was begun anew is resumed like any other", async () => {
  await using space = await TestWorkspace.start();
  await space.run("hi");
  space.workspace.evictOldest();
  rmSync(space.folder.join("claude-config"), { recursive: true });
  await space.run("hi again");
  space.workspace.evictOldest();
  expect(await space.workspace.locate({ session: "s" })).toEqual(locatedSession);
  expect((await space.run("and again")).answer).toContain("turn 2 of this conversation");
  expect(space.log.fieldsOf("session.reset")).toHaveLength(1);
});

test("what a turn started in a session of its own is gone with the process", async () => {
  await using space = await TestWorkspace.start();
  const pid = Number((await space.run("!spawn")).answer);
  expect(liveProcess(pid)?.command).toBe("sleep 300");
  await space.close();
  expect(liveProcess(pid)).toBeUndefined();
});

test.for([
  { title: "that is not there", bin: "/nowhere/claude" },
  { title: "below a file", bin: "/etc/hostname/claude" },
])("a claude $title is agent_unavailable, and its slot is free again", async ({ bin }) => {
  await using space = await TestWorkspace.start({ claudeBin: bin, limits: { processesPerWorkspace: 1 } });
  for (const attempt of [1, 2]) {
    const { outcome } = await space.run(`attempt ${attempt}`);
    expect(outcome).toMatchObject({ state: "failed", error: { code: "agent_unavailable" } });
    expect(JSON.stringify(outcome)).toContain(bin);
  }
});
