import { randomUUID } from "node:crypto";
import { expect, test } from "vitest";
import { readResponseRequest } from "../../src/responses/response-request.ts";
import { itemId, responseId, turnOf } from "../../src/responses/response-id.ts";

const askOf = (body: object) => readResponseRequest({ model: "echo", ...body }).turnRequest;
const user = (text: string) => ({ role: "user", parts: [{ type: "text", text }] });
const refusal = (body: object): string => {
  try {
    readResponseRequest({ input: "hi", ...body });
  } catch (error) {
    return error instanceof Error ? error.message : "";
  }
  throw new Error("it was taken");
};

test("text is one user message; instructions and the system's and developer's messages are one text, in order", () => {
  expect(askOf({ input: "hi" }).messages).toEqual([user("hi")]);
  const { messages, instructions } = askOf({
    instructions: "first",
    input: [
      { role: "developer", content: "second" },
      { type: "message", role: "user", content: [{ type: "input_text", text: "hi" }] },
      { role: "system", content: ["third", "line"].map((text) => ({ type: "input_text", text })) },
    ],
  });
  expect(messages).toEqual([user("hi")]);
  expect(instructions).toBe("first\n\nsecond\n\nthird\nline");
});

test("the items of one answer are one message, and a function's output answers its call", () => {
  const text = (said: string) => ({ type: "output_text", text: said, annotations: [] });
  const { messages, ignored } = askOf({
    input: [
      { role: "assistant", content: "" },
      { role: "user", content: "add" },
      { type: "reasoning", id: "rs_1", summary: [] },
      { type: "message", role: "assistant", id: "msg_1", content: [text("let me "), text("see")] },
      { type: "message", role: "assistant", id: "msg_2", content: [text(".")] },
      { type: "function_call", call_id: "c1", name: "add", arguments: '{"a":1}' },
      { type: "function_call", call_id: "c2", name: "add", arguments: "{}" },
      { type: "function_call_output", call_id: "c1", output: "1" },
      { type: "function_call_output", call_id: "c2", output: [{ type: "input_text", text: "0" }] },
    ],
  });
  const result = (call: string, given: string) => ({
    role: "tool",
    call,
    parts: [{ type: "text", text: given }],
    isError: false,
  });
  expect(messages).toEqual([
    user("add"),
    {
      role: "assistant",
      text: "let me see.",
      calls: [
        { id: "c1", name: "add", arguments: '{"a":1}' },
        { id: "c2", name: "add", arguments: "{}" },
      ],
    },
    result("c1", "1"),
    result("c2", "0"),
  ]);
  expect(ignored).toEqual(["input.reasoning"]);
});

test("images and files come as data", () => {
  const [message] = askOf({
    input: [
      {
        role: "user",
        content: [
          { type: "input_image", image_url: "data:image/png;base64,AAAA", detail: "auto" },
          { type: "input_file", filename: "a.pdf", file_data: "data:application/pdf;base64,AAAA" },
        ],
      },
    ],
  }).messages;
  expect(message).toMatchObject({
    parts: [
      { type: "image", mediaType: "image/png", data: "AAAA" },
      { type: "document", mediaType: "application/pdf", data: "AAAA", name: "a.pdf" },
    ],
  });
});

test("an item that is only referred to stands for its turn, and what was said up to there", () => {
  const turn = randomUUID();
  expect(turnOf(responseId(turn))).toBe(turn);
  const { names, messages } = askOf({
    input: [
      { role: "user", content: "one" },
      { type: "item_reference", id: itemId("msg", turn, 0) },
      { type: "function_call", call_id: "c1", name: "add", arguments: "{}" },
      { role: "user", content: "two" },
    ],
  });
  expect({ names, messages }).toMatchObject({ names: { previousTurn: turn }, messages: [user("two")] });
  expect(askOf({ input: "two", previous_response_id: responseId(turn) }).names.previousTurn).toBe(turn);
});

test("functions, their choice, the answer's format, effort and names of the conversation are understood", () => {
  const schema = { type: "object", properties: { a: { type: "number" } } };
  const turnRequest = askOf({
    input: "hi",
    tools: [
      { type: "function", name: "add", description: "adds", parameters: schema, strict: true },
      { type: "function", name: "now", parameters: null },
    ],
    tool_choice: { type: "function", name: "add" },
    text: { format: { type: "json_schema", name: "n", schema, strict: true } },
    reasoning: { effort: "high" },
    conversation: { id: "conv_1" },
    prompt_cache_key: "key",
    metadata: { session_id: "s" },
    safety_identifier: "u",
    store: true,
    temperature: null,
  });
  expect(turnRequest).toMatchObject({
    tools: [
      { name: "add", description: "adds", parameters: schema },
      { name: "now", parameters: { type: "object", properties: {} } },
    ],
    toolChoice: { type: "named", name: "add" },
    answerSchema: schema,
    effort: "high",
    names: { conversation: "conv_1", promptCacheKey: "key", metadataSession: "s" },
    user: "u",
    ignored: ["tools.strict"],
  });
  expect(askOf({ input: "hi", tool_choice: "required" }).toolChoice).toEqual({ type: "required" });
  expect(askOf({ input: "hi", text: { format: { type: "json_object" } } }).answerSchema).toEqual({
    type: "object",
  });
});

test("what has no effect is named", () => {
  const ignored = { store: false, temperature: 0.2, max_output_tokens: 5, include: [], truncation: "auto" };
  const { turnRequest, echo } = readResponseRequest({
    input: "hi",
    ...ignored,
    text: { verbosity: "low" },
    user: "me",
  });
  expect(turnRequest.ignored.toSorted()).toEqual([...Object.keys(ignored), "text.verbosity"].toSorted());
  expect(echo).toEqual({ user: "me" });
});

test.for([
  [{ input: undefined }, "input: must be text or a list of items"],
  [{ input: [] }, "input"],
  [{ input: [{ role: "tool", content: "x" }] }, "input.0.role: must be user, assistant, system or developer"],
  [{ input: ["hi"] }, "input.0: must be an object"],
  [{ input: [{ role: "user" }] }, "input.0.content: must be text, or a list of parts"],
  [{ input: [{ role: "user", content: [{ type: "text" }] }] }, "input.0.content.0.text: must be text"],
  [{ input: [{ type: "function_call", call_id: "", name: "f" }] }, "input.0.call_id: must not be empty"],
  [{ input: [{ type: "function_call", call_id: "c", name: 7 }] }, "input.0.name: must be text"],
  [
    { input: [{ type: "function_call", call_id: "c", name: "f", arguments: {} }] },
    "input.0.arguments: must be text",
  ],
  [{ input: [{ type: "function_call_output", call_id: "c" }] }, "input.0.output: must be text, or a list"],
  [
    { input: [{ role: "user", content: [{ type: "input_audio" }] }] },
    'input.0.content.0.type: parts of type "input_audio"',
  ],
  [
    { input: [{ role: "user", content: [{ type: "input_image", file_id: "f" }] }] },
    "input.0.content.0.image_url: must be a data: URL",
  ],
  [
    { input: [{ role: "user", content: [{ type: "input_image", image_url: "https://a.b/c.png" }] }] },
    "input.0.content.0.image_url: only data:",
  ],
  [
    { input: [{ role: "user", content: [{ type: "input_file", file_id: "f" }] }] },
    "input.0.content.0.file_data",
  ],
  [
    {
      input: [
        { role: "system", content: [{ type: "input_image", image_url: "data:image/png;base64,AAAA" }] },
      ],
    },
    "input.0.content.0: only text",
  ],
  [{ input: [{ type: "web_search_call", id: "ws_1" }] }, 'input.0.type: items of type "web_search_call"'],
  [{ input: [{ type: "item_reference", id: "msg_of_openai" }] }, "input.0.id: this names no item"],
  [{ input: [{ type: "function_call_output", output: "x" }] }, "input.0.call_id"],
  [{ previous_response_id: "resp_of_openai" }, "previous_response_id"],
  [{ tools: [{ type: "web_search" }] }, "tools.0.type: only functions are taken"],
  [
    { tool_choice: { type: "mcp", server_label: "x" } },
    "tool_choice: must be auto, none, required or a function",
  ],
  [{ text: { format: { type: "grammar" } } }, "text.format.type: must be of type"],
  [{ top_logprobs: 3 }, "top_logprobs: Claude tells no probabilities"],
  [{ reasoning: { effort: "huge" } }, 'reasoning.effort: "huge"'],
  [{ prompt: { id: "pmpt_1" } }, "prompt: stored prompts are not known here"],
] as const)("%j is refused by its name", ([body, message]) => {
  expect(refusal(body)).toContain(message);
});
