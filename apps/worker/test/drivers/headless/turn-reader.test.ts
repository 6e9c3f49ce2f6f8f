import type { ToolCallDelta, TurnEnd, WireError } from "@synthesis/protocol";
import { expect, test } from "vitest";
import type { TurnStage } from "../../../src/drivers/agent-process.ts";
import type { ClaudeLine } from "../../../src/drivers/headless/claude-line.ts";
import { TurnReader, type ReadTurn } from "../../../src/drivers/headless/turn-reader.ts";
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
  pieces: ToolCallDelta[];
  end: TurnEnd | undefined;
}

/** Reads lines up to the turn's end. The client offers `f1` and `f2`. */
function read(lines: readonly ClaudeLine[], more: Partial<ReadTurn> = {}): Reading {
  const reading: Reading = {
    text: "",
    reasoning: "",
    life: 0,
    stages: [],
    pauses: [],
    held: [],
    hopeless: [],
    pieces: [],
    end: undefined,
  };
  const turn: ReadTurn = {
    id: ID,
    rateLimitMs: RATE_LIMIT_MS,
    reasoning: "full",
    isStructured: false,
    shown: "",
    standing: "",
    offers: (name) => name === "f1" || name === "f2",
    ...more,
  };
  const reader = new TurnReader(turn, {
    onStart: () => {},
    onText: (text) => (reading.text += text),
    onReasoning: (text) => (reading.reasoning += text),
    onToolCall: (piece) => reading.pieces.push(piece),
    onFile: async () => undefined,
    onSteered: () => {},
    onAsk: () => ({ verdict: Promise.resolve({ behavior: "deny" }), withdraw: () => {} }),
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
    pieces: [],
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

const f1 = "mcp__synthesis_client__f1";
const f2 = "mcp__synthesis_client__f2";
const deferred = done({ terminal_reason: "tool_deferred", stop_reason: "tool_deferred", result: "" });
const whole = (index: number, id: string, name: string, ...json: string[]) => [
  ...line.call(index, id, name, ...json),
  line.blockStop(index),
];

test.for<{ title: string; lines: ClaudeLine[]; pieces: object[]; isHopeless?: true }>([
  {
    title: "calls are told as they stream, with ids of letters and digits",
    lines: [
      line.messageStart("a"),
      ...whole(0, "toolu_1", f1, '{"q":', '"x"}'),
      line.toolUse("a", "toolu_1", f1, { q: "x" }),
      ...whole(1, "toolu_2", f2, ""),
      line.messageStop(),
    ],
    pieces: [
      { index: 0, id: "toolu1", name: "f1", arguments: "" },
      { index: 0, arguments: '{"q":' },
      { index: 0, arguments: '"x"}' },
      { index: 1, id: "toolu2", name: "f2", arguments: "" },
      { index: 1, arguments: "{}" },
    ],
  },
  {
    title: "a message that comes whole has its calls whole",
    lines: [line.toolUse("a", "toolu_1", f1, { q: "x" }), line.toolUse("a", "toolu_2", f2)],
    pieces: [
      { index: 0, id: "toolu1", name: "f1", arguments: "" },
      { index: 0, arguments: '{"q":"x"}' },
      { index: 1, id: "toolu2", name: "f2", arguments: "" },
      { index: 1, arguments: "{}" },
    ],
  },
  {
    title: "what was told before the API broke off is not told again, and keeps its id",
    lines: [
      line.messageStart("a"),
      ...whole(0, "toolu_1", f1, '{"q":1}'),
      ...line.call(1, "toolu_2", f2, '{"q":'),
      line.abandoned(0),
      line.messageStart("b"),
      ...whole(0, "toolu_8", f1, '{"q"', ":1}"),
      ...whole(1, "toolu_9", f2, '{"q":2}'),
      line.messageStop(),
    ],
    pieces: [
      { index: 0, id: "toolu1", name: "f1", arguments: "" },
      { index: 0, arguments: '{"q":1}' },
      { index: 1, id: "toolu2", name: "f2", arguments: "" },
      { index: 1, arguments: '{"q":' },
      { index: 1, arguments: "2}" },
    ],
  },
  {
    title: "a call that comes again with other arguments cannot be told",
    lines: [
      line.messageStart("a"),
      ...line.call(0, "toolu_1", f1, '{"q":1'),
      line.abandoned(0),
      line.messageStart("b"),
      ...line.call(0, "toolu_2", f1, '{"q":2'),
    ],
    pieces: [
      { index: 0, id: "toolu1", name: "f1", arguments: "" },
      { index: 0, arguments: '{"q":1' },
    ],
    isHopeless: true,
  },
  {
    title: "nor can one that does not come again",
    lines: [
      line.messageStart("a"),
      ...line.call(0, "toolu_1", f1, "{}"),
      line.abandoned(0),
      ...line.message("b", "never mind"),
    ],
    pieces: [
      { index: 0, id: "toolu1", name: "f1", arguments: "" },
      { index: 0, arguments: "{}" },
    ],
    isHopeless: true,
  },
  {
    title: "a call that Claude answers by itself was not the client's to make",
    lines: [line.messageStart("a"), ...whole(0, "toolu_1", f1), line.toolResult("toolu_1")],
    pieces: [
      { index: 0, id: "toolu1", name: "f1", arguments: "" },
      { index: 0, arguments: "{}" },
    ],
    isHopeless: true,
  },
  {
    title: "functions that are not offered, and those of a subagent, are Claude's own business",
    lines: [
      line.messageStart("a"),
      ...whole(0, "toolu_1", "mcp__synthesis_client__f3", "{}"),
      line.toolResult("toolu_1", { parent_tool_use_id: "toolu_0" }),
    ],
    pieces: [],
  },
])("$title", ({ lines, pieces, isHopeless }) => {
  const reading = read(lines);
  expect(reading.pieces).toEqual(pieces);
  expect(reading.hopeless.map(({ code }) => code)).toEqual(isHopeless ? ["answer_diverged"] : []);
});

test("a turn that its calls end is over, and was not at work on them", () => {
  const lines = [
    line.status("requesting"),
    ...line.message("a", "look", "tool_use").slice(0, -2),
    ...whole(1, "toolu_1", f1, "{}"),
    line.toolUse("a", "toolu_1", f1),
    line.messageDelta("tool_use"),
    line.messageStop(),
    deferred,
  ];
  const { end, text, reasoning, stages } = read(lines);
  expect(end).toEqual({ state: "completed", finishReason: "tool_calls" });
  expect([text, reasoning]).toEqual(["look", ""]);
  expect(stages.map(({ name }) => name)).toEqual(["first_byte", "answer"]);
});

test.for<{ title: string; lines: ClaudeLine[] }>([
  {
    title: "a call that was cut while another one of its message stood",
    lines: [
      line.messageStart("a"),
      ...whole(0, "toolu_1", f1, "{}"),
      ...line.call(1, "toolu_2", f2, '{"q'),
      line.abandoned(1),
      deferred,
    ],
  },
  {
    title: "a call with which the turn does not end",
    lines: [line.messageStart("a"), ...whole(0, "toolu_1", f1, "{}"), line.messageStop(), done()],
  },
  { title: "an end by a call that was not told", lines: [...line.message("a", "hm"), deferred] },
])("$title fails the turn", ({ lines }) => {
  expect(read(lines).end).toMatchObject({ state: "failed", error: { code: "answer_diverged" } });
});

test("an answer that meets a schema is told at the end; what else is said is thought", () => {
  const lines = [
    ...line.message("a", "I think", "tool_use"),
    line.toolUse("a", "toolu_1", "StructuredOutput", { n: "x" }),
    line.toolResult("toolu_1"),
    line.toolUse("b", "toolu_2", "StructuredOutput", { n: 1 }),
    done({ stop_reason: "tool_use", result: '{ "n": 1 }', structured_output: { n: 1 } }),
  ];
  const structured = read(lines, { isStructured: true });
  expect(structured).toMatchObject({ text: '{"n":1}', reasoning: "I think", hopeless: [] });
  expect(structured.end).toEqual({ state: "completed", finishReason: "stop" });
  const plain = [...line.message("a", "three"), done({ result: "three" })];
  const unmet = read(plain, { isStructured: true });
  expect(unmet.end).toMatchObject({ state: "failed", error: { code: "answer_format_unmet" } });
  expect(unmet.text).toBe("");
});

test.for([
  { reasoning: "full", shown: "hm[Bash]\n[Write: permission denied]\n" },
  { reasoning: "tools", shown: "[Bash]\n[Write: permission denied]\n" },
  { reasoning: "none", shown: "" },
] as const)("of its work $reasoning is shown, and all that befalls it", ({ reasoning, shown }) => {
  const lines = [
    line.messageStart("a"),
    line.thinking("hm"),
    ...whole(1, "toolu_1", "Bash", "{}"),
    line.system("permission_denied", { tool_name: "Write" }),
    line.status("compacting"),
  ];
  expect(read(lines, { reasoning }).reasoning).toBe(`${shown}[compacting the conversation]\n`);
});
