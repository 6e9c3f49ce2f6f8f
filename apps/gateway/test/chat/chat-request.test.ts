import { expect, test } from "vitest";
import { ignoredFields, parseChatRequest } from "../../src/chat/chat-request.ts";

const messages = [{ role: "user", content: "hi" }];
const fn = { type: "function", function: { name: "f" } };

test.for<[title: string, body: unknown, message: RegExp]>([
  ["null", null, /^the body: /],
  ["an array", [], /^the body: /],
  ["a text", "hi", /^the body: /],
  ["an empty object", {}, /^messages: /],
  ["no messages", { messages: [] }, /^messages: /],
  ["messages as text", { messages: "hi" }, /^messages: /],
  ["stream as a text", { messages, stream: "true" }, /^stream: /],
  ["model as a number", { messages, model: 4 }, /^model: /],
  ["a conversation as a number", { messages, conversation: 4 }, /^conversation: /],
  ["metadata as a text", { messages, metadata: "x" }, /^metadata: /],
  ["tools as an object", { messages, tools: {} }, /^tools: /],
  [
    "a tool of another type",
    { messages, tools: [fn, { type: "custom" }] },
    /^tools\.1\.type: only functions are taken/,
  ],
  [
    "a function without a name",
    { messages, tools: [{ type: "function", function: {} }] },
    /^tools\.0\.function\.name/,
  ],
  [
    "parameters as a list",
    { messages, tools: [{ ...fn, function: { name: "f", parameters: [] } }] },
    /parameters/,
  ],
  ["a choice nobody knows", { messages, tool_choice: "any" }, /^tool_choice: must be "auto"/],
  [
    "an allowed_tools choice",
    { messages, tool_choice: { type: "allowed_tools" } },
    /^tool_choice: must be "auto"/,
  ],
  [
    "a format nobody knows",
    { messages, response_format: { type: "yaml" } },
    /^response_format\.type: must be of type/,
  ],
  [
    "a JSON format without a schema",
    { messages, response_format: { type: "json_schema", json_schema: {} } },
    /schema/,
  ],
  ["two answers", { messages, n: 2 }, /^n: there is one answer/],
  ["probabilities", { messages, logprobs: true }, /^logprobs: /],
  ["top probabilities", { messages, top_logprobs: 3 }, /^top_logprobs: /],
  ["speech", { messages, modalities: ["text", "audio"] }, /^modalities: agents answer in text/],
  ["a voice", { messages, audio: { voice: "x" } }, /^audio: /],
  ["legacy functions", { messages, functions: [{ name: "f" }] }, /^functions: this was replaced by tools/],
  [
    "a legacy choice",
    { messages, function_call: "auto" },
    /^function_call: this was replaced by tool_choice/,
  ],
  ["OpenAI's web search", { messages, web_search_options: {} }, /^web_search_options: /],
])("%s is refused, naming the field", ([, body, message]) => {
  expect(() => parseChatRequest(body)).toThrow(message);
});

test("what asks for nothing special is taken", () => {
  const body = {
    messages,
    n: 1,
    logprobs: false,
    top_logprobs: 0,
    modalities: ["text"],
    audio: null,
    functions: [],
    function_call: "none",
    parallel_tool_calls: true,
    tools: [fn],
    tool_choice: fn,
    response_format: { type: "json_schema", json_schema: { name: "a", schema: {} } },
  };
  expect(ignoredFields(parseChatRequest(body))).toEqual([]);
});

test("null counts as absent, and fields nobody knows are let through", () => {
  const body = {
    model: null,
    messages,
    stream: null,
    stream_options: null,
    metadata: null,
    tools: null,
    tool_choice: null,
    response_format: null,
    reasoning_effort: null,
    n: null,
    seed: 1,
  };
  expect(parseChatRequest(body)).toEqual(body);
});

test("__proto__ in a body stays data and reaches no prototype", () => {
  const text =
    '{"__proto__":{"n":2,"polluted":1},"messages":[{"role":"user","content":"hi"}],"metadata":{"__proto__":{"session_id":"s"}}}';
  const request = parseChatRequest(JSON.parse(text));
  expect(({} as Record<string, unknown>)["polluted"]).toBeUndefined();
  expect(request.metadata?.session_id).toBeUndefined();
  expect(ignoredFields(request)).toEqual([]);
});

test("what was sent without effect is named, as a header takes it; what is understood or null is not", () => {
  const request = parseChatRequest({
    model: "echo",
    messages,
    stream: true,
    user: "u",
    temperature: 0,
    seed: null,
    parallel_tool_calls: false,
    max_completion_tokens: 10,
    metadata: { session_id: "s", topic: "t", other: "o" },
    stream_options: { include_usage: true, include_obfuscation: false },
    tools: [{ ...fn, function: { name: "f", strict: true } }],
    "x\r\nset-cookie: a": 1,
    UPPER: 1,
    enableThinking: true,
    "top-k": 3,
  });
  expect(ignoredFields(request)).toEqual([
    "temperature",
    "parallel_tool_calls",
    "max_completion_tokens",
    "x??set-cookie??a",
    "UPPER",
    "enableThinking",
    "top-k",
    "metadata",
    "stream_options.include_obfuscation",
    "tools.function.strict",
  ]);
});
