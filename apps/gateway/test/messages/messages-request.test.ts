import { expect, test } from "vitest";
import { readMessagesRequest } from "../../src/messages/messages-request.ts";

const said = [{ role: "user", content: "hi" }];
const orderOf = (body: object) =>
  readMessagesRequest({ model: "echo", max_tokens: 10, messages: said, ...body });
const text = (content: string) => ({ type: "text", text: content });
const refusal = (body: object): string => {
  try {
    orderOf(body);
  } catch (error) {
    return error instanceof Error ? error.message : "";
  }
  throw new Error("it was taken");
};

test("system texts, of the field and of messages, are one text; max_tokens has no effect", () => {
  const { turnRequest, reasoning } = orderOf({
    system: [text("one"), { ...text("two"), cache_control: { type: "ephemeral" } }],
    messages: [...said, { role: "system", content: "three" }],
    metadata: { user_id: "me" },
  });
  expect(turnRequest).toMatchObject({
    model: "echo",
    messages: [{ role: "user", parts: [text("hi")] }],
    instructions: "one\ntwo\n\nthree",
    user: "me",
    ignored: ["max_tokens"],
  });
  expect({ isStreamed: turnRequest.isStreamed, reasoning }).toEqual({
    isStreamed: false,
    reasoning: "left-out",
  });
});

test("tool use and its results become calls and what they gave, results first; thinking is left out", () => {
  const { messages } = orderOf({
    messages: [
      ...said,
      { role: "assistant", content: [] },
      {
        role: "assistant",
        content: [
          { type: "thinking", thinking: "hm", signature: "s" },
          text("let me "),
          text("see"),
          { type: "tool_use", id: "toolu_1", name: "add", input: { a: 1 } },
        ],
      },
      {
        role: "user",
        content: [
          text("and?"),
          { type: "tool_result", tool_use_id: "toolu_1", content: [text("1")], is_error: true },
          { type: "tool_result", tool_use_id: "toolu_2" },
        ],
      },
    ],
  }).turnRequest;
  expect(messages.slice(1)).toEqual([
    { role: "assistant", text: "let me see", calls: [{ id: "toolu_1", name: "add", arguments: '{"a":1}' }] },
    { role: "tool", call: "toolu_1", parts: [text("1")], isError: true },
    { role: "tool", call: "toolu_2", parts: [text("")], isError: false },
    { role: "user", parts: [text("and?")] },
  ]);
});

test("images and documents come as data", () => {
  const source = { type: "base64", media_type: "image/png", data: "AAAA" };
  const [message] = orderOf({
    messages: [
      {
        role: "user",
        content: [
          { type: "image", source },
          { type: "document", title: "a", source: { ...source, media_type: "application/pdf" } },
          { type: "document", source: { type: "text", media_type: "text/plain", data: "words" } },
        ],
      },
    ],
  }).turnRequest.messages;
  expect(message).toMatchObject({
    parts: [
      { type: "image", mediaType: "image/png", data: "AAAA" },
      { type: "document", mediaType: "application/pdf", data: "AAAA", name: "a" },
      { type: "text", text: expect.stringContaining("words") as string },
    ],
  });
});

test("tools, their choice, the answer's format, effort and thinking are understood", () => {
  const schema = { type: "object", properties: {} };
  const { turnRequest, reasoning } = orderOf({
    tools: [
      { name: "add", description: "adds", input_schema: schema },
      { type: "custom", name: "b", input_schema: schema },
    ],
    tool_choice: { type: "tool", name: "add", disable_parallel_tool_use: true },
    output_config: { effort: "max", format: { type: "json_schema", schema } },
    thinking: { type: "enabled", budget_tokens: 1024 },
    top_k: 5,
  });
  expect(turnRequest).toMatchObject({
    tools: [
      { name: "add", description: "adds", parameters: schema },
      { name: "b", parameters: schema },
    ],
    toolChoice: { type: "named", name: "add" },
    answerSchema: schema,
    effort: "max",
    ignored: ["max_tokens", "top_k", "thinking.budget_tokens", "tool_choice.disable_parallel_tool_use"],
  });
  expect(reasoning).toBe("told");
  expect(orderOf({ tool_choice: { type: "any" } }).turnRequest.toolChoice).toEqual({ type: "required" });
  expect(orderOf({ tool_choice: { type: "none" } }).turnRequest.toolChoice).toEqual({ type: "none" });
  expect(orderOf({ thinking: { type: "disabled" } }).reasoning).toBe("left-out");
  expect(orderOf({ thinking: { type: "adaptive", display: "omitted" } }).reasoning).toBe("left-out");
});

const content = (...blocks: object[]) => ({ messages: [{ role: "user", content: blocks }] });

test.for([
  [{ messages: [] }, "messages"],
  [{ messages: [{ role: "tool", content: "x" }] }, "messages.0.role: must be user, assistant or system"],
  [{ messages: ["hi"] }, "messages.0: must be an object"],
  [{ messages: [{ role: "user" }] }, "messages.0.content: must be text, or a list of blocks"],
  [content(null as never), "messages.0.content.0: must be an object"],
  [content({ type: "text", text: 7 }), "messages.0.content.0.text: must be text"],
  [content({ type: "tool_result", tool_use_id: "" }), "messages.0.content.0.tool_use_id: must not be empty"],
  [
    content({ type: "tool_result", tool_use_id: "t", content: 7 }),
    "messages.0.content.0.content: must be text, or a list",
  ],
  [
    content({ type: "tool_result", tool_use_id: "t", is_error: 1 }),
    "messages.0.content.0.is_error: must be true or false",
  ],
  [content({ type: "image" }), "messages.0.content.0.source: must be an object"],
  [
    content({ type: "document", source: { type: "text" }, title: "a" }),
    "messages.0.content.0.source.data: must be text",
  ],
  [
    { messages: [{ role: "assistant", content: [{ type: "tool_use", id: "t", name: "f", input: "{}" }] }] },
    "messages.0.content.0.input: must be an object",
  ],
  [content({ type: "search_result" }), 'messages.0.content.0.type: blocks of type "search_result"'],
  [
    content({ type: "image", source: { type: "url", url: "https://a.b" } }),
    "messages.0.content.0.source.type: must be of type base64",
  ],
  [
    content({ type: "document", source: { type: "file", file_id: "f" } }),
    "messages.0.content.0.source.type: must be of type base64",
  ],
  [
    content({ type: "tool_result", tool_use_id: "t", content: [{ type: "x" }] }),
    "messages.0.content.0.content.0.type",
  ],
  [{ system: [{ type: "image" }] }, "system.0.type: only text"],
  [
    { tools: [{ type: "web_search_20260209", name: "web_search" }] },
    "tools.0.type: only tools of the client's own",
  ],
  [{ tools: [{ name: "add" }] }, "tools.0.input_schema"],
  [{ tool_choice: "any" }, "tool_choice"],
  [{ mcp_servers: [{ type: "url", url: "https://a.b", name: "x" }] }, "mcp_servers.0: the agent has its own"],
] as const)("%j is refused by its name", ([body, message]) => {
  expect(refusal(body)).toContain(message);
});
