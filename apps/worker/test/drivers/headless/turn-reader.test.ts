import type { TurnEnd, WireError } from "@synthesis/protocol";
import { expect, test } from "vitest";
import type { ClaudeLine } from "../../../src/drivers/headless/claude-line.ts";
import { TurnReader } from "../../../src/drivers/headless/turn-reader.ts";
import { claudeLines as line } from "../../support/claude-lines.ts";

const ID = "0b0d5d6e-5b3e-4a55-9a0e-3d2c5f1f9a11";
const done = (more: object = {}) => line.result({ user_message_uuids: [ID], user_message_uuid: ID, ...more });

interface Reading {
  text: string;
  reasoning: string;
  life: number;
  hopeless: WireError[];
  end: TurnEnd | undefined;
}

/** Reads lines up to the turn's end. */
function read(lines: readonly ClaudeLine[]): Reading {
  const reading: Reading = { text: "", reasoning: "", life: 0, hopeless: [], end: undefined };
  const reader = new TurnReader(ID, {
    onStart: () => {},
    onText: (text) => (reading.text += text),
    onReasoning: (text) => (reading.reasoning += text),
    onLife: () => reading.life++,
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
      line.other("user"),
      ...line.message("b", "after"),
    ],
    text: "before\n\nafter",
  },
  {
    title: "two whole answers are set apart, also after one that max_tokens cut",
    lines: [
      ...line.message("a", "mid-sen", "max_tokens"),
      line.assistant("b", "tence"),
      line.other("user"),
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
