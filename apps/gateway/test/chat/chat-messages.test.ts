import { expect, test } from "vitest";
import { readChatMessages } from "../../src/chat/chat-messages.ts";
import { assistant, call, image, tool, user } from "../support/messages.ts";

const png = { type: "image_url", image_url: { url: "data:image/png;base64,AAAA" } };
const made = (id: string) => ({
  id,
  type: "function",
  function: { name: "read", arguments: '{"path":"a"}' },
});

test("messages of every role are read, instructions apart from the rest", () => {
  const { messages, instructions, ignored } = readChatMessages([
    { role: "system", content: "be nice" },
    { role: "user", content: "look" },
    { role: "assistant", content: null, tool_calls: [made("one"), made("two")] },
    { role: "tool", tool_call_id: "one", content: "A" },
    { role: "tool", tool_call_id: "two", content: [{ type: "text", text: "B" }, png] },
    {
      role: "developer",
      content: [
        { type: "text", text: "be" },
        { type: "text", text: "brief" },
      ],
    },
    {
      role: "assistant",
      content: [
        { type: "text", text: "no" },
        { type: "refusal", refusal: "never" },
      ],
    },
    { role: "user", content: [{ type: "text", text: "and this?" }, png] },
  ]);
  expect(messages).toEqual([
    user("look"),
    assistant("", call("one"), call("two")),
    tool("one", "A"),
    tool("two", "B", image),
    assistant("nonever"),
    user("and this?", image),
  ]);
  expect(instructions).toEqual(["be nice", "be\nbrief"]);
  expect([...ignored]).toEqual([]);
});

test("an answer that says nothing is no message, a refusal is one", () => {
  const { messages } = readChatMessages([
    { role: "assistant", content: "" },
    { role: "assistant" },
    { role: "assistant", content: [], tool_calls: [] },
    { role: "assistant", content: null, refusal: "I will not" },
  ]);
  expect(messages).toEqual([assistant("I will not")]);
});

test("a file is a document, text as text", () => {
  const data = Buffer.from("%PDF").toString("base64");
  const file = { filename: "a.pdf", file_data: `data:application/pdf;base64,${data}` };
  const { messages } = readChatMessages([{ role: "user", content: [{ type: "file", file }] }]);
  expect(messages).toEqual([user({ type: "document", mediaType: "application/pdf", data, name: "a.pdf" })]);
});

test("fields of messages without effect are named once, as a header takes them", () => {
  const named = readChatMessages([
    { role: "user", content: "a", name: "bob", annotations: null },
    { role: "user", content: [{ ...png, image_url: { ...png.image_url, detail: "low" } }], name: "eve" },
    { role: "assistant", content: "b", audio: { id: "a" }, "\r\nx": 1 },
  ]).ignored;
  expect([...named]).toEqual([
    "messages.name",
    "messages.image_url.detail",
    "messages.audio",
    "messages.??x",
  ]);
});

test.for<[title: string, message: unknown, complaint: string]>([
  ["null", null, "messages.1: must be an object"],
  ["a text", "hi", "messages.1: must be an object"],
  ["a list", [], "messages.1: must be an object"],
  ["no role", { content: "x" }, "messages.1.role: must be system, developer, user, assistant or tool"],
  ["an unknown role", { role: "root", content: "x" }, "messages.1.role: must be"],
  [
    "a legacy result",
    { role: "function", name: "f", content: "x" },
    "messages.1.role: this was replaced by tool",
  ],
  [
    "a legacy call",
    { role: "assistant", function_call: {} },
    "messages.1.function_call: this was replaced by tool_calls",
  ],
  [
    "content as a number",
    { role: "user", content: 7 },
    "messages.1.content: must be text, or a list of parts",
  ],
  ["instructions without content", { role: "system" }, "messages.1.content: must be text"],
  [
    "instructions with an image",
    { role: "system", content: [png] },
    "messages.1.content.0.type: only parts of type text",
  ],
  [
    "an answer with an image",
    { role: "assistant", content: [png] },
    "messages.1.content.0.type: only parts of type text",
  ],
  ["a part that is null", { role: "user", content: [null] }, "messages.1.content.0: must be an object"],
  [
    "a part without a type",
    { role: "user", content: [{ text: "x" }] },
    'messages.1.content.0.type: parts of type "undefined"',
  ],
  [
    "a part with a hostile type",
    { role: "user", content: [{ type: { a: 1 } }] },
    'parts of type "[object Object]"',
  ],
  [
    "a text part without text",
    { role: "user", content: [{ type: "text" }] },
    "messages.1.content.0.text: must be text",
  ],
  [
    "speech",
    { role: "user", content: [{ type: "input_audio" }] },
    'parts of type "input_audio" are not taken: send text, image_url or file',
  ],
  [
    "an image without a url",
    { role: "user", content: [{ type: "image_url" }] },
    "messages.1.content.0.image_url: must be an object",
  ],
  [
    "a remote image",
    { role: "user", content: [{ type: "image_url", image_url: { url: "https://example.org/a.png" } }] },
    "messages.1.content.0.image_url.url: only data: URLs with base64 are taken",
  ],
  [
    "a stored file",
    { role: "user", content: [{ type: "file", file: { file_id: "f" } }] },
    "messages.1.content.0.file: files are not kept here",
  ],
  ["a result without a call", { role: "tool", content: "x" }, "messages.1.tool_call_id: must be text"],
  ["calls as an object", { role: "assistant", tool_calls: {} }, "messages.1.tool_calls: must be a list"],
  [
    "a call without a function",
    { role: "assistant", tool_calls: [{ id: "a" }] },
    "messages.1.tool_calls.0.function: must be an object",
  ],
  [
    "a call without an id",
    { role: "assistant", tool_calls: [{ ...made("a"), id: 4 }] },
    "messages.1.tool_calls.0.id: must be text",
  ],
  [
    "a call of another type",
    { role: "assistant", tool_calls: [{ ...made("a"), type: "custom" }] },
    "messages.1.tool_calls.0.type: only calls of functions",
  ],
])("%s is refused, naming the path", ([, message, complaint]) => {
  expect(() => readChatMessages([{ role: "user", content: "a" }, message])).toThrow(complaint);
});
