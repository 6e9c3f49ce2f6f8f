import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import {
  eventually,
  expectClean,
  fakeClaudeCommand,
  liveProcess,
  tempFolder,
  type TempFolder,
} from "../src/index.ts";
import { StreamJsonProcess } from "./stream-json-process.ts";

expectClean();

async function startFake(folder: TempFolder, ...args: readonly string[]): Promise<StreamJsonProcess> {
  return startFakeWith({}, folder, ...args);
}

async function startFakeWith(
  more: Record<string, string>,
  folder: TempFolder,
  ...args: readonly string[]
): Promise<StreamJsonProcess> {
  const common = { PATH: process.env["PATH"] ?? "", CLAUDE_CONFIG_DIR: folder.join("config") };
  const env = { ...common, SYNTHESIS_X: "y", ...more };
  return new StreamJsonProcess(await fakeClaudeCommand(folder.path), args, env, folder.path);
}

const typesOf = (fake: StreamJsonProcess) =>
  fake.lines.map((line) => line.event?.type ?? line["subtype"] ?? line["state"] ?? line.type);

test("a plain turn has the lines of the real one in their order", async () => {
  await using folder = await tempFolder();
  await using fake = await startFake(folder, "--model", "claude-x");
  const uuid = fake.prompt("hi");
  const result = await fake.result(uuid);
  expect(result).toMatchObject({
    is_error: false,
    terminal_reason: "completed",
    user_message_uuids: [uuid],
    result_index: 0,
  });
  expect(result["result"]).toBe("fake: hi (turn 1 of this conversation)");
  expect(fake.deltas.join("")).toBe(result["result"]);
  await fake.line(({ state }) => state === "completed");
  expect(typesOf(fake).filter((type) => type !== "content_block_delta")).toEqual([
    "queued",
    "started",
    "init",
    "status",
    "message_start",
    "content_block_start",
    "assistant",
    "content_block_stop",
    "message_delta",
    "message_stop",
    "success",
    "completed",
  ]);
  expect(fake.lines.find(({ subtype }) => subtype === "init")).toMatchObject({
    model: "claude-x",
    user_message_uuids: [uuid],
  });
  expect(fake.lines.find(({ type }) => type === "stream_event")).toMatchObject({ user_message_uuid: uuid });
  fake.child.stdin.end();
  expect(await fake.exit).toEqual({ code: 0, signal: null });
});

test("a resumed conversation remembers; a used id and an unknown id end with 1", async () => {
  await using folder = await tempFolder();
  const id = crypto.randomUUID();
  await using first = await startFake(folder, "--session-id", id);
  await first.ask("one");
  first.child.stdin.end();
  await first.exit;
  await using second = await startFake(folder, "--resume", id);
  expect(await second.ask("two")).toBe("fake: two (turn 2 of this conversation)");

  await using used = await startFake(folder, "--session-id", id);
  expect(await used.exit).toMatchObject({ code: 1 });
  expect(used.stderr).toBe(`Error: Session ID ${id} is already in use.\n`);

  const unknown = crypto.randomUUID();
  await using lost = await startFake(folder, "--resume", unknown);
  expect(await lost.exit).toMatchObject({ code: 1 });
  expect(lost.lines[0]).toMatchObject({
    type: "result",
    is_error: true,
    errors: [`No conversation found with session ID: ${unknown}`],
  });
});

test("directives that answer say what they promise", async () => {
  await using folder = await tempFolder();
  await using fake = await startFake(folder);
  expect(await fake.ask("!diverge")).toBe("one two FOUR");
  expect(fake.lines.some((line) => "abandoned_blocks" in line)).toBe(true);
  expect(await fake.ask("please !restream")).toBe("one two three four");
  expect(await fake.ask("!fallback")).toBe("one two three four");
  expect(await fake.ask("!slow 3 1")).toBe("w1 w2 w3");
  expect(await fake.ask("!tool")).toBe("after the tool");
  expect(await fake.ask("!huge 100000")).toHaveLength(100_000);
  expect(await fake.ask("!cwd")).toBe(folder.path);
  expect(await fake.ask("!pid")).toBe(String(fake.child.pid));
  expect(JSON.parse(String(await fake.ask("!env")))).toMatchObject({ values: { SYNTHESIS_X: "y" } });
  expect(JSON.parse(String(await fake.ask("!argv")))).toContain("--verbose");
  expect(await fake.ask("!garbage")).toContain("fake: !garbage");
  expect(fake.raw.length).toBe(fake.lines.length + 1);
  expect(await fake.ask("!foreign-result")).toContain("fake: !foreign-result");
  expect(fake.lines.filter(({ result }) => result === "somebody else's")).toHaveLength(1);
  expect(await fake.ask("!retry 529")).toContain("fake: !retry 529");
  expect(fake.lines.find(({ subtype }) => subtype === "api_retry")).toMatchObject({ error_status: 529 });
  const failed = await fake.result(fake.prompt("!error 403"));
  expect(failed).toMatchObject({
    subtype: "success",
    is_error: true,
    terminal_reason: "api_error",
    api_error_status: 403,
  });
});

test("an interrupt ends a silent or slow turn and the process goes on", async () => {
  await using folder = await tempFolder();
  await using fake = await startFake(folder);
  for (const text of ["!silent", "!slow 100000 1"]) {
    const uuid = fake.prompt(text);
    await fake.line(({ command_uuid, state }) => command_uuid === uuid && state === "started");
    fake.send({ type: "control_request", request_id: text, request: { subtype: "interrupt" } });
    expect(await fake.result(uuid)).toMatchObject({ is_error: true, terminal_reason: "aborted_streaming" });
    await fake.line(({ command_uuid, state }) => command_uuid === uuid && state === "cancelled");
  }
  expect(await fake.ask("after")).toBe("fake: after (turn 3 of this conversation)");
});

test("control requests are answered as by the real one", async () => {
  await using folder = await tempFolder();
  await using fake = await startFake(folder);
  const control = async (id: string, request: object) => {
    fake.send({ type: "control_request", request_id: id, request });
    const found = await fake.line(({ response }) => response?.request_id === id);
    return found["response"];
  };
  expect(await control("a", { subtype: "initialize" })).toMatchObject({ subtype: "success" });
  expect(await control("b", { subtype: "set_model", model: "m2" })).toMatchObject({
    response: { model: "m2" },
  });
  expect(await control("c", { subtype: "nope" })).toMatchObject({ error_code: "unsupported_request" });
  const uuid = fake.prompt("x");
  await fake.result(uuid);
  expect(fake.lines.find(({ subtype }) => subtype === "init")).toMatchObject({ model: "m2" });
  fake.prompt("x", { uuid }); // dropped without a word
  expect(await fake.ask("y")).toBe("fake: y (turn 2 of this conversation)");
  expect(await fake.result(fake.prompt("/clear", { client_composed: false }))).toMatchObject({
    result: "fake: interpreted /clear (turn 3 of this conversation)",
  });
  expect(await control("d", { subtype: "end_session" })).toMatchObject({ subtype: "success" });
  expect(await fake.exit).toEqual({ code: 0, signal: null });
});

test("a cut turn is in the transcript, and goes on by itself in a process that is told to", async () => {
  await using folder = await tempFolder();
  const id = crypto.randomUUID();
  await using first = await startFake(folder, "--session-id", id);
  const uuid = first.prompt("!crash-once");
  await first.exit;
  const project = folder.path.replaceAll(/[^a-zA-Z0-9]/g, "-");
  const transcript = async () => {
    const text = await readFile(folder.join("config", "projects", project, `${id}.jsonl`), "utf8");
    return text
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as unknown);
  };
  const prompt = { type: "user", uuid, promptSource: "sdk", cwd: folder.path, sessionId: id };
  expect(await transcript()).toMatchObject([prompt]);

  await using quiet = await startFake(folder, "--resume", id);
  quiet.child.stdin.end();
  await quiet.exit;
  expect(quiet.lines).toEqual([]);

  const told = { CLAUDE_CODE_RESUME_INTERRUPTED_TURN: "1" };
  await using second = await startFakeWith(told, folder, "--resume", id);
  expect(await second.result(uuid)).toMatchObject({
    result: "one two three",
    resume_reason: "interrupted_turn",
  });
  expect(second.lines.find(({ type }) => type === "stream_event")).toMatchObject({
    user_message_uuid: uuid,
    resume_reason: "interrupted_turn",
  });
  const answer = {
    type: "assistant",
    message: { stop_reason: "end_turn", content: [{ text: "one two three" }] },
  };
  expect(await transcript()).toMatchObject([prompt, answer]);
  expect(await second.ask("next")).toBe("fake: next (turn 2 of this conversation)");

  await using third = await startFakeWith(told, folder, "--resume", id);
  third.prompt("!crash-once", { uuid }); // over: dropped without a word
  expect(await third.ask("more")).toBe("fake: more (turn 3 of this conversation)");
  expect(third.lines.filter(({ type }) => type === "result")).toHaveLength(1);
});

test("a prompt that is never read leaves nothing behind, once or always", async () => {
  await using folder = await tempFolder();
  for (const [text, code] of [
    ["!unread-once", 1],
    ["!unread", 1],
  ] as const) {
    await using fake = await startFake(folder);
    fake.prompt(text);
    expect(await fake.exit).toEqual({ code, signal: null });
    expect(fake.lines).toEqual([]);
  }
  await using fake = await startFake(folder);
  expect(await fake.ask("!unread-once")).toContain("turn 1 of this conversation");
});

test.for([
  ["!exit 7", { code: 7, signal: null }],
  ["!crash-mid", { code: null, signal: "SIGKILL" }],
  ["!half-line", { code: 1, signal: null }],
] as const)("%s ends the process", async ([text, exit]) => {
  await using folder = await tempFolder();
  await using fake = await startFake(folder);
  fake.prompt(text);
  expect(await fake.exit).toEqual(exit);
  if (text === "!crash-mid") expect(fake.deltas).toEqual(["cut", " short"]);
  if (text === "!half-line") expect(() => JSON.parse(fake.raw.at(-1)!)).toThrow(SyntaxError);
});

test("a hung turn hears no interrupt, and a stubborn one no SIGTERM", async () => {
  await using folder = await tempFolder();
  await using hung = await startFake(folder);
  await using stubborn = await startFake(folder);
  for (const [fake, text] of [
    [hung, "!hang"],
    [stubborn, "!hang-stubborn"],
  ] as const) {
    fake.prompt(text);
    await fake.line(({ subtype }) => subtype === "status");
    fake.send({ type: "control_request", request_id: "i", request: { subtype: "interrupt" } });
    fake.send({ type: "control_request", request_id: "m", request: { subtype: "set_model", model: "x" } });
    await fake.line(({ type }) => type === "control_response");
    fake.child.kill("SIGTERM");
  }
  expect(await hung.exit).toEqual({ code: 143, signal: null });
  stubborn.send({ type: "control_request", request_id: "n", request: { subtype: "set_model", model: "y" } });
  const ids = () => stubborn.lines.flatMap(({ response }) => response?.request_id ?? []);
  await eventually(() => expect(ids()).toEqual(["m", "n"]));
});

test("a spawned grandchild lives in a session of its own", async () => {
  await using folder = await tempFolder();
  await using fake = await startFake(folder);
  const pid = Number(await fake.ask("!spawn"));
  expect(liveProcess(pid)).toMatchObject({ parent: fake.child.pid, command: "sleep 300" });
  process.kill(pid, "SIGKILL");
});

/** Plays the host of the functions `f1` and `f2`: answers what the fake asks. */
function hostFunctions(fake: StreamJsonProcess, decision: "defer" | "deny" = "defer"): void {
  fake.send({
    type: "control_request",
    request_id: "i",
    request: { subtype: "initialize", sdkMcpServers: ["synthesis_client"], hooks: { PreToolUse: [] } },
  });
  const tools = [{ name: "f1" }, { name: "f2" }];
  const answer = (request: Record<string, unknown>) => {
    if (request["subtype"] === "hook_callback")
      return { hookSpecificOutput: { hookEventName: "PreToolUse", permissionDecision: decision } };
    return { mcp_response: { jsonrpc: "2.0", id: 0, result: { tools } } };
  };
  fake.onLine = ({ type, request_id, request }) => {
    if (type !== "control_request") return;
    const response = answer(Object(request));
    fake.send({ type: "control_response", response: { subtype: "success", request_id, response } });
  };
}

test("a call of the host's function ends the turn, and its result is a prompt as any other", async () => {
  await using folder = await tempFolder();
  await using fake = await startFake(folder);
  hostFunctions(fake);
  const called = fake.prompt('!call f1 {"q":1} & f2');
  const result = await fake.result(called);
  expect(result).toMatchObject({ is_error: false, terminal_reason: "tool_deferred", result: "" });
  expect(result["deferred_tool_use"]).toMatchObject({ name: "mcp__synthesis_client__f2", input: {} });
  const content = [{ type: "tool_result", tool_use_id: "x", content: [{ type: "text", text: "one" }] }];
  const answered = fake.prompt("", { message: { role: "user", content } });
  expect(await fake.result(answered)).toMatchObject({
    result: "fake: [result of x: one] (turn 2 of this conversation)",
  });
});

test("a call that is denied, or of a function that is not offered, ends nothing", async () => {
  await using folder = await tempFolder();
  await using fake = await startFake(folder);
  hostFunctions(fake, "deny");
  for (const name of ["f1", "f3"])
    expect(await fake.result(fake.prompt(`!call ${name}`))).toMatchObject({ result: "without it" });
  expect(await fake.result(fake.prompt("!functions"))).toMatchObject({
    result: '["mcp__synthesis_client__f1","mcp__synthesis_client__f2"]',
  });
});

test("a conversation branches off at a message, and the other one stays as it is", async () => {
  await using folder = await tempFolder();
  const [from, id] = [crypto.randomUUID(), crypto.randomUUID()];
  await using first = await startFake(folder, "--session-id", from);
  await first.result(first.prompt("one"));
  const at = String(first.lines.findLast(({ type }) => type === "assistant")?.["uuid"]);
  await first.result(first.prompt("two"));
  const branch = ["--resume", from, "--fork-session", "--session-id", id, "--resume-session-at"];
  await using second = await startFake(folder, ...branch, at);
  expect(await second.result(second.prompt("other"))).toMatchObject({
    result: "fake: other (turn 2 of this conversation)",
    session_id: id,
  });
  expect(await first.result(first.prompt("three"))).toMatchObject({
    result: "fake: three (turn 3 of this conversation)",
  });
  await using lost = await startFake(folder, ...branch, crypto.randomUUID());
  expect((await lost.exit).code).toBe(1);
  expect(lost.stderr).toContain("No message found with message.uuid of");
});

test("what comes while a tool runs is taken up; what is withdrawn is not", async () => {
  await using folder = await tempFolder();
  await using fake = await startFake(folder);
  const turn = fake.prompt("!tool 300");
  await fake.line(({ type }) => type === "tool_progress");
  const [more, withdrawn] = [fake.prompt("more"), fake.prompt("never")];
  const request = { subtype: "cancel_async_message", message_uuid: withdrawn };
  fake.send({ type: "control_request", request_id: "w", request });
  expect(await fake.result(more)).toMatchObject({
    result: "after the tool, and to: more",
    user_message_uuids: [turn, more],
  });
  const states = fake.lines.filter((line) => line["command_uuid"] === withdrawn).map(({ state }) => state);
  expect(states).toEqual(["queued", "cancelled"]);
});
