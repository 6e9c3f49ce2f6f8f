import { expect, test } from "vitest";
import { ignoredFields, parseChatRequest, textOf } from "../../src/openai/chat-request.ts";

const messages = [{ role: "user", content: "hi" }];

test.for<[title: string, body: unknown, message: RegExp]>([
  ["null", null, /^the body: /],
  ["an array", [], /^the body: /],
  ["a text", "hi", /^the body: /],
  ["an empty object", {}, /^messages: /],
  ["no messages", { messages: [] }, /^messages: /],
  ["messages as text", { messages: "hi" }, /^messages: /],
  ["a message that is null", { messages: [null] }, /^messages\.0: /],
  ["an unknown role", { messages: [{ role: "root", content: "x" }] }, /^messages\.0\.role: /],
  ["content as a number", { messages: [{ role: "user", content: 7 }] }, /^messages\.0\.content/],
  [
    "a part without a type",
    { messages: [{ role: "user", content: [{ text: "x" }] }] },
    /^messages\.0\.content/,
  ],
  ["stream as a text", { messages, stream: "true" }, /^stream: /],
  ["model as a number", { messages, model: 4 }, /^model: /],
  ["a conversation as a number", { messages, conversation: 4 }, /^conversation: /],
  ["metadata as a text", { messages, metadata: "x" }, /^metadata: /],
])("%s is refused, naming the field", ([, body, message]) => {
  expect(() => parseChatRequest(body)).toThrow(message);
});

test("null counts as absent, and fields nobody knows are let through", () => {
  const body = { model: null, messages, stream: null, stream_options: null, metadata: null, seed: 1 };
  expect(parseChatRequest(body)).toEqual(body);
});

test("__proto__ in a body stays data and reaches no prototype", () => {
  const text =
    '{"__proto__":{"polluted":1},"messages":[{"role":"user","content":"hi","__proto__":{"polluted":1}}],"metadata":{"__proto__":{"session_id":"s"}}}';
  const request = parseChatRequest(JSON.parse(text));
  expect(({} as Record<string, unknown>)["polluted"]).toBeUndefined();
  expect(request.metadata?.session_id).toBeUndefined();
  expect(ignoredFields(request)).toEqual([]);
});

test("what was sent without effect is named, what is understood, null or oddly named is not", () => {
  const request = parseChatRequest({
    model: "echo",
    messages: [{ role: "system", content: "s" }, { role: "developer", content: "d" }, ...messages],
    stream: true,
    user: "u",
    temperature: 0,
    seed: null,
    tools: [],
    "x\r\nset-cookie: a": 1,
    UPPER: 1,
  });
  expect(ignoredFields(request)).toEqual(["temperature", "tools", "messages.system", "messages.developer"]);
});

test("at most twenty are named", () => {
  const many = Object.fromEntries(
    Array.from({ length: 50 }, (_, n) => [
      `f_${String.fromCharCode(97 + (n % 26))}_${"x".repeat(n)}`.slice(0, 40),
      1,
    ]),
  );
  expect(ignoredFields(parseChatRequest({ messages, ...many }))).toHaveLength(20);
});

test("a message's text is its string, or its text parts joined by newlines", () => {
  expect(textOf({ role: "user", content: "a" })).toBe("a");
  expect(textOf({ role: "assistant", content: null })).toBe("");
  expect(textOf({ role: "assistant" })).toBe("");
  const parts = [
    { type: "text", text: "a" },
    { type: "image_url" },
    { type: "text" },
    { type: "text", text: "b" },
  ];
  expect(textOf({ role: "user", content: parts })).toBe("a\nb");
});
