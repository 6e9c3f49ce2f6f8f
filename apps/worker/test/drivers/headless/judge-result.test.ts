import type { ErrorCode } from "@synthesis/protocol";
import { expect, test } from "vitest";
import type { ResultLine } from "../../../src/drivers/headless/claude-line.ts";
import { joinedEnd, judgeResult } from "../../../src/drivers/headless/judge-result.ts";

const quiet = { errorKind: undefined, resetsAt: undefined };
const ok: ResultLine = {
  type: "result",
  subtype: "success",
  is_error: false,
  terminal_reason: "completed",
  stop_reason: "end_turn",
};
const apiError = (status: number, more: Partial<ResultLine> = {}): ResultLine => ({
  ...ok,
  is_error: true,
  terminal_reason: "api_error",
  api_error_status: status,
  result: `API Error: ${status}`,
  ...more,
});

test.for([
  { stopReason: "end_turn", finishReason: "stop" },
  { stopReason: "stop_sequence", finishReason: "stop" },
  { stopReason: "tool_use", finishReason: "stop" },
  { stopReason: null, finishReason: "stop" },
  { stopReason: "max_tokens", finishReason: "length" },
  { stopReason: "model_context_window_exceeded", finishReason: "length" },
  { stopReason: "refusal", finishReason: "content_filter" },
  { stopReason: "tool_deferred", finishReason: "tool_calls" },
])("a completed turn that stopped by $stopReason finishes by $finishReason", (row) => {
  expect(judgeResult({ ...ok, stop_reason: row.stopReason }, quiet)).toEqual({
    state: "completed",
    finishReason: row.finishReason,
  });
});

test("usage counts cached and cache-writing input, and costs are those since the last result", () => {
  const end = judgeResult(
    {
      ...ok,
      usage: {
        input_tokens: 12,
        output_tokens: 5,
        cache_read_input_tokens: 100,
        cache_creation_input_tokens: 30,
        output_tokens_details: { thinking_tokens: 3 },
      },
      model_usage_since_last_result: { opus: { costUSD: 0.25 }, haiku: { costUSD: 0.5 }, free: {} },
    },
    quiet,
  );
  expect(end).toEqual({
    state: "completed",
    finishReason: "stop",
    usage: { inputTokens: 142, cachedInputTokens: 100, outputTokens: 5, reasoningTokens: 3 },
    costUsd: 0.75,
  });
});

test("a cost has no noise of the addition", () => {
  const usage = { opus: { costUSD: 0.0001 }, haiku: { costUSD: 0.0002 } };
  const end = judgeResult({ ...ok, model_usage_since_last_result: usage }, quiet);
  expect([0.0001 + 0.0002, end]).toMatchObject([0.00030000000000000003, { costUsd: 0.0003 }]);
  if (end.state === "completed") expect(joinedEnd(end, end).costUsd).toBe(0.0006);
});

test.for<{ title: string; line: ResultLine; kind?: string; code: ErrorCode; retries?: boolean }>([
  { title: "a 401", line: apiError(401), code: "upstream_authentication" },
  { title: "a 403", line: apiError(403), code: "upstream_authentication" },
  { title: "a 429", line: apiError(429), code: "upstream_rate_limit", retries: true },
  { title: "a 503", line: apiError(503), code: "upstream_overloaded", retries: true },
  { title: "a 529", line: apiError(529), code: "upstream_overloaded", retries: true },
  { title: "a 500", line: apiError(500), code: "upstream_error" },
  { title: "a 400", line: apiError(400), code: "upstream_invalid_request" },
  { title: "a 404", line: apiError(404), code: "upstream_invalid_request" },
  { title: "a 413", line: apiError(413), code: "context_length_exceeded" },
  {
    title: "a prompt that is too long",
    line: apiError(400, { terminal_reason: "prompt_too_long" }),
    code: "context_length_exceeded",
  },
  {
    title: "a refused image",
    line: { ...apiError(0), api_error_status: null, terminal_reason: "image_error" },
    code: "upstream_invalid_request",
  },
  {
    title: "a usage limit without a status",
    line: { ...apiError(0), api_error_status: null },
    kind: "rate_limit",
    code: "upstream_rate_limit",
    retries: true,
  },
  {
    title: "a missing login without a status",
    line: { ...apiError(0), api_error_status: null },
    kind: "authentication_failed",
    code: "upstream_authentication",
  },
  {
    title: "the bound of turns",
    line: { ...ok, subtype: "error_max_turns", is_error: true, terminal_reason: "max_turns" },
    code: "turn_failed",
  },
  {
    title: "an error without any reason",
    line: { type: "result", subtype: "error_during_execution", is_error: true },
    code: "turn_failed",
  },
])("$title, whose subtype does not count, fails with $code", ({ line, kind, code, retries }) => {
  const end = judgeResult(line, { ...quiet, errorKind: kind });
  expect(end).toMatchObject({ state: "failed", error: { code } });
  expect(end.state === "failed" && end.error.retryAfterMs !== undefined).toBe(retries ?? false);
});

test.for(["aborted_streaming", "aborted_tools"])("%s is a cancelled turn", (terminal_reason) => {
  const line = { ...ok, subtype: "error_during_execution", is_error: true, terminal_reason };
  expect(judgeResult(line, quiet)).toMatchObject({
    state: "cancelled",
    error: { code: "turn_cancelled" },
  });
});

test.for(["error_during_execution", "error_max_turns", "anything"])(
  "a result without is_error has completed although its subtype is %s",
  (subtype) => {
    expect(judgeResult({ ...ok, subtype }, quiet)).toMatchObject({ state: "completed" });
  },
);

test("the message says what Claude Code said, cut to a bound", () => {
  const end = judgeResult(apiError(500, { result: `boom ${"x".repeat(5000)}` }), quiet);
  expect(end).toMatchObject({ error: { message: expect.stringContaining("(boom xxx") } });
  expect(JSON.stringify(end).length).toBeLessThan(700);
  const errors = judgeResult(
    { type: "result", subtype: "x", is_error: true, errors: ["first", "second"] },
    quiet,
  );
  expect(errors).toMatchObject({ error: { message: expect.stringContaining("(first; second)") } });
});

test("a limit whose end is known names it, one whose end is not says so and a minute", () => {
  const resetsAt = Date.now() + 90_000;
  const known = judgeResult(apiError(429), { ...quiet, resetsAt });
  expect(known).toMatchObject({
    error: { message: expect.stringContaining(new Date(resetsAt).toISOString()) },
  });
  expect(known.state === "failed" && known.error.retryAfterMs).toBeGreaterThan(60_000);
  expect(judgeResult(apiError(429), quiet)).toMatchObject({
    error: { message: expect.stringContaining("it did not say till when"), retryAfterMs: 60_000 },
  });
  const past = judgeResult(apiError(429), { ...quiet, resetsAt: 0 });
  expect(past).toMatchObject({ error: { retryAfterMs: 0 } });
});

test("an interrupt is one also where a call waits for the client", () => {
  const line = { ...ok, terminal_reason: "aborted_tools", stop_reason: "tool_deferred" };
  expect(judgeResult(line, quiet)).toMatchObject({ state: "cancelled", error: { code: "turn_cancelled" } });
});
