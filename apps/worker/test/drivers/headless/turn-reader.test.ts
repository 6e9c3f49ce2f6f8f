import type { TurnEnd, WireError } from "@synthesis/protocol";
import { expect, test } from "vitest";
import type { TurnStage } from "../../../src/drivers/agent-process.ts";
import type { ClaudeLine } from "../../../src/drivers/headless/claude-line.ts";
import { TurnReader } from "../../../src/drivers/headless/turn-reader.ts";
import { claudeLines as line } from "../../support/claude-lines.ts";

const ID = "0b0d5d6e-5b3e-4a55-9a0e-3d2c5f1f9a11";
const RATE_LIMIT_MS = 60_000;
const done = (more: object = {}) => line.result({ user_message_uuids: [ID], user_message_uuid: ID, ...more });

interface Reading {
  text: string;
  reasoning: string;
  life: number;
  stages: TurnStage[];
  pauses: number[];
  held: number[];
  hopeless: WireError[];
  end: TurnEnd | undefined;
}

/** Reads lines up to the turn's end. */
function read(lines: readonly ClaudeLine[], resumed: { shown?: string; standing?: string } = {}): Reading {
  const reading: Reading = {
    text: "",
    reasoning: "",
    life: 0,
    stages: [],
    pauses: [],
    held: [],
    hopeless: [],
    end: undefined,
  };
  const turn = { id: ID, rateLimitMs: RATE_LIMIT_MS, shown: "", standing: "", ...resumed };
  const reader = new TurnReader(turn, {
    onStart: () => {},
    onText: (text) => (reading.text += text),
    onReasoning: (text) => (reading.reasoning += text),
    onNote: (text) => (reading.reasoning += text),
    onLife: (pauseMs) => (pauseMs === undefined ? reading.life++ : reading.pauses.push(pauseMs)),
    onStage: (stage) => reading.stages.push(stage),
    onAccountHeld: (until) => reading.held.push(until),
    onHopeless: (error) => reading.hopeless.push(error),
  });
  for (const each of lines) {
    reading.end = reader.read(each);
    if (reading.end) return reading;
  }
  return reading;
}

test.for<{ title: string; lines: ClaudeLine[]; text: string }>([
  { title: "a plain answer comes once", lines: line.message("a", "one two"), text: "one two" },
  {
    title: "text, a tool and text again are set apart by a blank line",
    lines: [...line.message("a", "before", "tool_use"), line.toolUse("a"), ...line.message("b", "after")],
    text: "before\n\nafter",
  },
  {
    title: "a continuation after max_tokens joins without a separator",
    lines: [...line.message("a", "mid-sen", "max_tokens"), ...line.message("b", "tence")],
    text: "mid-sentence",
  },
  {
    title: "a cut stream that is asked again is not repeated",
    lines: [
      line.messageStart("a"),
      line.text("one two"),
      line.abandoned(0),
      line.system("api_retry", { error_status: null }),
      ...line.message("b", "one two three"),
    ],
    text: "one two three",
  },
  {
    title: "an answer that comes whole after a cut, without deltas, is shown from the cut on",
    lines: [
      line.messageStart("a"),
      line.text("one two"),
      line.abandoned(0),
      line.assistant("b", "one two three"),
    ],
    text: "one two three",
  },
  {
    title: "a whole answer and the streamed one after its tool are set apart",
    lines: [
      line.assistant("a", "before"),
      line.toolUse("a"),
      line.toolResult(),
      ...line.message("b", "after"),
    ],
    text: "before\n\nafter",
  },
  {
    title: "two whole answers are set apart, also after one that max_tokens cut",
    lines: [
      ...line.message("a", "mid-sen", "max_tokens"),
      line.assistant("b", "tence"),
      line.toolResult(),
      line.assistant("c", "next"),
    ],
    text: "mid-sentence\n\nnext",
  },
  {
    title: "a cut at from_block_index 1 leaves the first block standing",
    lines: [
      line.messageStart("a"),
      line.blockStart(0),
      line.text("kept"),
      line.assistant("a", "kept"),
      line.blockStart(1),
      line.text("again"),
      line.abandoned(1),
      ...line.message("b", "again too"),
    ],
    text: "keptagain too",
  },
  {
    title: "the text of a subagent is no part of the answer",
    lines: [
      line.text("hidden", { parent_tool_use_id: "toolu_1" }),
      ...line.message("a", "shown"),
      line.assistant("z", "hidden", { parent_tool_use_id: "toolu_1" }),
    ],
    text: "shown",
  },
])("$title", ({ lines, text }) => {
  const reading = read([...lines, done()]);
  expect(reading.text).toBe(text);
  expect(reading.hopeless).toEqual([]);
  expect(reading.end).toMatchObject({ state: "completed", finishReason: "stop" });
});

test("a local answer that only the result holds is shown", () => {
  expect(read([done({ result: "cost: 0" })]).text).toBe("cost: 0");
  expect(read([...line.message("a", "one two"), done({ result: "one two" })]).text).toBe("one two");
});

test.for<{ title: string; lines: ClaudeLine[]; text: string }>([
  {
    title: "a second answer that differs",
    lines: [line.messageStart("a"), line.text("one"), line.abandoned(0), ...line.message("b", "two three")],
    text: "one",
  },
  {
    title: "a second answer that is shorter",
    lines: [line.messageStart("a"), line.text("one two"), line.abandoned(0), ...line.message("b", "one ")],
    text: "one two",
  },
  {
    title: "a whole second answer that is shorter",
    lines: [line.messageStart("a"), line.text("one two"), line.abandoned(0), line.assistant("b", "one")],
    text: "one two",
  },
])("$title makes the turn hopeless: answer_diverged", ({ lines, text }) => {
  const reading = read([...lines, done()]);
  expect(reading.text).toBe(text);
  expect(reading.hopeless[0]).toMatchObject({ code: "answer_diverged" });
});

test("a result that names another message does not end the turn", () => {
  const foreign = line.result({ user_message_uuids: ["another"], result: "not ours" });
  expect(read([foreign]).end).toBeUndefined();
  expect(read([line.result({ user_message_uuid: "another", is_error: true })]).end).toBeUndefined();
  expect(read([foreign, ...line.message("a", "ours"), done()])).toMatchObject({
    text: "ours",
    end: { state: "completed" },
  });
});

test("a result without any message ends the turn only as an error", () => {
  expect(read([line.result()]).end).toBeUndefined();
  expect(read([line.result({ is_error: true, subtype: "error_during_execution" })]).end?.state).toBe(
    "failed",
  );
});

test("the result of a resumed turn ends it, even where a compaction took its name", () => {
  const resumed = { resume_reason: "interrupted_turn", result: "one" };
  expect(read([line.result(resumed)]).end?.state).toBe("completed");
  expect(read([line.result({ ...resumed, user_message_uuid: "another" })]).end).toBeUndefined();
});

test("the text of an API error is no answer, and its word decides", () => {
  const reading = read([
    line.apiError("rate_limit", "You've hit your limit"),
    done({ is_error: true, terminal_reason: "api_error", result: "You've hit your limit" }),
  ]);
  expect(reading.text).toBe("");
  expect(reading.end).toMatchObject({ state: "failed", error: { code: "upstream_rate_limit" } });
});

test.for([
  { status: 401, hopeless: 1 },
  { status: 403, hopeless: 1 },
  { status: 429, hopeless: 0 },
  { status: 529, hopeless: 0 },
  { status: null, hopeless: 0 },
])("an api_retry with status $status is hopeless $hopeless times", ({ status, hopeless }) => {
  expect(read([line.system("api_retry", { error_status: status })]).hopeless).toHaveLength(hopeless);
});

test.for([
  { status: 529, delay: 8600, told: "is overloaded (529): trying again in 9 s" },
  { status: 429, delay: 60_000, told: "limits the rate of this account (429): trying again in 60 s" },
  { status: 500, delay: 500, told: "failed (500): trying again in 1 s" },
  { status: null, delay: 500, told: "did not answer: trying again in 1 s" },
])("a retry after $status is shown, and its pause announced", ({ status, delay, told }) => {
  const reading = read([line.system("api_retry", { error_status: status, retry_delay_ms: delay })]);
  expect(reading).toMatchObject({ pauses: [delay], held: [], stages: [{ name: "first_byte" }] });
  expect(reading.reasoning).toBe(`[Claude's API ${told}]\n`);
});

test("a pause for a rate limit beyond the bound makes the turn hopeless, and holds the account till its end", () => {
  const now = Date.now();
  const reading = read([line.system("api_retry", { error_status: 429, retry_delay_ms: RATE_LIMIT_MS + 1 })]);
  expect(reading).toMatchObject({ reasoning: "", pauses: [], hopeless: [{ code: "upstream_rate_limit" }] });
  expect(reading.held[0]).toBeGreaterThan(now + RATE_LIMIT_MS);
});

test.for([
  { title: "rejected", info: { status: "rejected", resetsAt: 4e9 }, held: [4e12] },
  {
    title: "rejected, on paid overage",
    info: { status: "rejected", resetsAt: 4e9, isUsingOverage: true },
    held: [],
  },
  { title: "near", info: { status: "allowed_warning", resetsAt: 4e9 }, held: [] },
])("a usage limit that is $title holds the account: $held", ({ info, held }) => {
  const reading = read([line.rateLimit(info)]);
  expect(reading.held).toEqual(held);
  expect(reading.hopeless).toHaveLength(held.length);
});

test("a turn that ends by a rate limit holds the account till the time that was told, else for a minute", () => {
  const limit = { status: "rejected", resetsAt: 4e9 };
  const end = done({ is_error: true, terminal_reason: "api_error", api_error_status: 429 });
  const told = line.assistant("s", "limit", {
    error: "rate_limit",
    api_error_params: { rate_limit_info: limit },
  });
  expect(read([told, end])).toMatchObject({ held: [4e12], end: { error: { code: "upstream_rate_limit" } } });
  const before = Date.now();
  expect(read([end]).held[0]).toBeGreaterThanOrEqual(before + 60_000);
  expect(read([done({ is_error: true, api_error_status: 529 })]).held).toEqual([]);
});

test("a turn waits for its first byte, its answer and its tools in turn", () => {
  const tool = (name: string) => ({ name: "tool", tool: name });
  const { stages } = read([
    line.status("requesting"),
    line.messageStart("a"),
    line.text("before"),
    line.toolUse("a", "t1"),
    line.toolUse("a", "t2", "Grep"),
    line.messageStop(),
    line.toolResult("t0", { parent_tool_use_id: "t1" }),
    line.toolResult("t1"),
    line.toolResult("t2"),
    line.status("requesting"),
    line.text("after"),
    line.abandoned(0),
    line.assistant("b", "whole"),
    line.status("compacting"),
  ]);
  const [firstByte, answer] = [{ name: "first_byte" }, { name: "answer" }];
  expect(stages).toEqual([
    firstByte,
    answer,
    tool("Bash"),
    tool("Bash, Grep"),
    tool("Grep"),
    answer,
    firstByte,
    answer,
    firstByte,
    answer,
    firstByte,
  ]);
});

test("a request means that no tool runs any more, whatever became of its result", () => {
  const { stages } = read([line.toolUse("a"), line.status("requesting"), line.messageStart("b")]);
  expect(stages.map(({ name }) => name)).toEqual(["tool", "first_byte", "answer"]);
});

test("each compaction is told once, and a result in its middle is no end", () => {
  const compaction = [
    line.status("compacting"),
    line.status("compacting"),
    line.status(null),
    line.system("compact_boundary"),
  ];
  const reading = read([
    ...line.message("a", "before", "tool_use"),
    ...compaction,
    line.result({ result: "a summary" }),
    ...line.message("b", "after"),
    line.system("compact_boundary"),
    done(),
  ]);
  expect(reading).toMatchObject({ text: "before\n\nafter", end: { state: "completed" } });
  expect(reading.reasoning).toBe("[compacting the conversation]\n".repeat(2));
});

test("a resumed turn that says less than was shown says it all again, at its end", () => {
  const resumed = { shown: "one two three" };
  expect(read(line.message("b", "one two"), resumed).text).toBe("");
  expect(read([...line.message("b", "one two"), done()], resumed)).toMatchObject({
    text: "\n\none two",
    reasoning: "[resumed after an interruption]\n",
  });
});

test("a resumed turn goes on after the text that stands, and repeats nothing that was shown", () => {
  const resumed = { shown: "before\n\naf", standing: "before" };
  expect(read([...line.message("b", "after all"), done()], resumed)).toMatchObject({
    text: "ter all",
    reasoning: "",
    hopeless: [],
  });
});

test("thinking, tools and denials are reasoning; every line is life", () => {
  const reading = read([
    line.messageStart("a"),
    line.thinking("hm "),
    line.blockStart(1, "tool_use", "Bash"),
    line.system("permission_denied", { tool_name: "Write" }),
    line.other("tool_progress"),
  ]);
  expect(reading).toMatchObject({ text: "", life: 5, end: undefined });
  expect(reading.reasoning).toBe("hm [Bash]\n[Write: permission denied]\n");
});

test("a tool call is told once, also of a message that came whole", () => {
  const streamed = [line.messageStart("a"), line.blockStart(0, "tool_use", "Bash"), line.toolUse("a")];
  expect(read(streamed).reasoning).toBe("[Bash]\n");
  expect(read([line.assistant("b", "before"), line.toolUse("b")]).reasoning).toBe("[Bash]\n");
});
