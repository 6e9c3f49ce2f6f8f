import { appendFile, mkdir, symlink, writeFile } from "node:fs/promises";
import { expectClean, tempFolder, type TempFolder } from "@synthesis/testkit";
import { afterEach, beforeEach, expect, test } from "vitest";
import { checkTranscript, type TranscriptPlace } from "../../../src/drivers/headless/transcript.ts";
import { traceTurn } from "../../../src/drivers/headless/turn-trace.ts";

expectClean();

const SESSION = "0b0d5d6e-5b3e-4a55-9a0e-3d2c5f1f9a11";
const TURN = "7d868e15-c61f-4246-abae-ba11aa7a5c45";

let folder: TempFolder;
let place: TranscriptPlace;
beforeEach(async () => {
  folder = await tempFolder();
  await mkdir(folder.join("project"));
  place = {
    path: folder.join("project"),
    claude: { bin: "claude", env: { CLAUDE_CONFIG_DIR: folder.join("config") } },
  };
});
afterEach(async () => folder[Symbol.asyncDispose]());

const user = (content: unknown, more: object = {}) => ({
  type: "user",
  uuid: crypto.randomUUID(),
  cwd: folder.join("project"),
  message: { role: "user", content },
  ...more,
});
const prompt = (uuid: string, text: string) => user(text, { uuid, promptSource: "sdk" });
const assistant = (id: string, block: object, stop_reason: string | null, more: object = {}) => ({
  type: "assistant",
  message: { id, role: "assistant", stop_reason, content: [block] },
  ...more,
});
const text = (id: string, said: string, stop = "end_turn") =>
  assistant(id, { type: "text", text: said }, stop);
const call = (id: string, tool: string) =>
  assistant(id, { type: "tool_use", id: tool, name: "Bash" }, "tool_use");
const result = (tool: string) => user([{ type: "tool_result", tool_use_id: tool, content: "done" }]);
const queued = (content: string) => ({ type: "queue-operation", operation: "enqueue", content });

async function write(entries: readonly object[], project = "some-folder"): Promise<string> {
  await mkdir(folder.join("config", "projects", project), { recursive: true });
  const file = folder.join("config", "projects", project, `${SESSION}.jsonl`);
  await writeFile(file, entries.map((entry) => `${JSON.stringify(entry)}\n`).join(""));
  return file;
}

test("a session without a file, or whose file holds no message, is missing", async () => {
  expect(await checkTranscript(place, SESSION)).toBe("missing");
  await write([queued("hello")]);
  expect(await checkTranscript(place, SESSION)).toBe("missing");
  expect(await traceTurn(place, SESSION, TURN)).toEqual({ state: "absent" });
});

test("a session is this workspace's by the folder recorded in it, wherever its file is", async () => {
  await write([queued("hello"), user("hello", { cwd: "/elsewhere" })], "a");
  expect(await checkTranscript(place, SESSION)).toBe("foreign");
  expect(await traceTurn(place, SESSION, TURN)).toEqual({ state: "absent" });
  await write([queued("hello"), user("hello")], "b");
  await writeFile(folder.join("config", "projects", "a-file"), "");
  expect(await checkTranscript(place, SESSION)).toBe("present");
  await symlink(folder.join("project"), folder.join("link"));
  expect(await checkTranscript({ ...place, path: folder.join("link") }, SESSION)).toBe("present");
});

test("Claude's folder is below HOME where nothing else is configured", async () => {
  const home = { ...place, claude: { bin: "claude", env: { HOME: folder.join("home") } } };
  await mkdir(folder.join("home", ".claude", "projects", "p"), { recursive: true });
  const file = folder.join("home", ".claude", "projects", "p", `${SESSION}.jsonl`);
  await writeFile(file, `${JSON.stringify(user("hello"))}\n`);
  expect(await checkTranscript(home, SESSION)).toBe("present");
});

const finished = (said: string, stopReason = "end_turn") => ({ state: "finished", text: said, stopReason });
const unfinished = (said: string) => ({ state: "unfinished", text: said });

test.for<{ title: string; after: () => object[]; trace: object }>([
  { title: "its prompt alone", after: () => [], trace: unfinished("") },
  { title: "an answer", after: () => [text("a", "one")], trace: finished("one") },
  {
    title: "an answer and the next turn",
    after: () => [text("a", "one"), prompt("other", "next"), text("b", "two")],
    trace: finished("one"),
  },
  {
    title: "the next turn before an answer",
    after: () => [prompt("other", "next"), text("b", "two")],
    trace: { state: "stopped" },
  },
  {
    title: "a tool's result",
    after: () => [text("a", "one", "tool_use"), call("a", "t"), result("t")],
    trace: unfinished("one"),
  },
  {
    title: "a tool's result and the next turn",
    after: () => [call("a", "t"), result("t"), prompt("other", "next")],
    trace: { state: "stopped" },
  },
  {
    title: "a call without a result, which is dropped with its text",
    after: () => [
      text("a", "one", "tool_use"),
      call("a", "t"),
      result("t"),
      text("b", "two", "tool_use"),
      call("b", "u"),
    ],
    trace: unfinished("one"),
  },
  {
    title: "a dropped message, and the answer that was given in its place",
    after: () => [text("a", "one", "tool_use"), call("a", "t"), text("b", "two")],
    trace: finished("two"),
  },
  {
    title: "a continuation after max_tokens",
    after: () => [text("a", "mid-sen", "max_tokens"), user("Resume directly"), text("b", "tence")],
    trace: finished("mid-sentence"),
  },
  {
    title: "a cut after max_tokens",
    after: () => [text("a", "mid-sen", "max_tokens"), user("Resume directly")],
    trace: unfinished("mid-sen"),
  },
  {
    title: "an API error",
    after: () => [
      assistant("s", { type: "text", text: "API Error" }, "stop_sequence", { isApiErrorMessage: true }),
    ],
    trace: unfinished(""),
  },
  {
    title: "an interrupt",
    after: () => [
      assistant("a", { type: "text", text: "par" }, null),
      user([{ type: "text", text: "[Request interrupted by user]" }]),
    ],
    trace: { state: "stopped" },
  },
  {
    title: "half an interrupt",
    after: () => [assistant("a", { type: "text", text: "par" }, null)],
    trace: { state: "stopped" },
  },
  {
    title: "what a subagent said",
    after: () => [
      call("a", "t"),
      assistant("z", { type: "text", text: "sub" }, "end_turn", { isSidechain: true }),
    ],
    trace: unfinished(""),
  },
])("a turn followed by $title", async ({ after, trace }) => {
  await write([prompt("earlier", "hi"), text("e", "hello"), prompt(TURN, "go"), ...after()]);
  expect(await traceTurn(place, SESSION, TURN)).toEqual(trace);
});

test("half a last line does not count, neither does the middle of a first one", async () => {
  const file = await write([prompt(TURN, "go")]);
  await appendFile(file, JSON.stringify(text("a", "one")).slice(0, -2));
  expect(await traceTurn(place, SESSION, TURN)).toEqual(unfinished(""));
});

test("a turn is found in a transcript of any length, wherever it stands", async () => {
  const filler = Array.from({ length: 30 }, (_, index) => [
    prompt(`filler-${index}`, "x".repeat(200_000)),
    text(`f${index}`, "said"),
  ]).flat();
  await write([...filler, prompt(TURN, "go"), text("a", "one")]);
  expect(await traceTurn(place, SESSION, TURN)).toEqual(finished("one"));
  await write([prompt(TURN, "go"), text("a", "one"), ...filler]);
  expect(await traceTurn(place, SESSION, TURN)).toEqual(finished("one"));
  await write(filler);
  expect(await traceTurn(place, SESSION, TURN)).toEqual({ state: "absent" });
});
