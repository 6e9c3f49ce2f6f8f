import { expect, test } from "vitest";
import { readChatRequest } from "../../src/chat/read-chat-request.ts";
import { user } from "../support/messages.ts";

const messages = [{ role: "user", content: "hi" }];

test("a bare request asks for what is usual", () => {
  expect(readChatRequest({ messages })).toEqual({
    turnRequest: {
      model: undefined,
      messages: [user("hi")],
      instructions: undefined,
      tools: [],
      toolChoice: { type: "auto" },
      answerSchema: undefined,
      effort: undefined,
      isStreamed: false,
      names: {},
      user: undefined,
      ignored: [],
    },
    includeUsage: false,
  });
});

test("every field that works is read", () => {
  const parameters = { type: "object", properties: { path: { type: "string" } } };
  const { turnRequest, includeUsage } = readChatRequest({
    model: "echo/opus",
    messages: [{ role: "system", content: "a" }, ...messages, { role: "developer", content: "b" }],
    stream: true,
    stream_options: { include_usage: true },
    tools: [
      { type: "function", function: { name: "read", description: "reads", parameters } },
      { type: "function", function: { name: "stop" } },
    ],
    tool_choice: { type: "function", function: { name: "read" } },
    response_format: {
      type: "json_schema",
      json_schema: { name: "n", strict: true, schema: { type: "object" } },
    },
    reasoning_effort: "xhigh",
    user: "alice",
    prompt_cache_key: "k",
    conversation: { id: "c" },
    metadata: { session_id: "m" },
  });
  expect(turnRequest).toMatchObject({
    model: "echo/opus",
    instructions: "a\n\nb",
    tools: [
      { name: "read", description: "reads", parameters },
      { name: "stop", parameters: { type: "object", properties: {} } },
    ],
    toolChoice: { type: "named", name: "read" },
    answerSchema: { type: "object" },
    effort: "xhigh",
    names: { promptCacheKey: "k", conversation: "c", metadataSession: "m" },
    user: "alice",
    ignored: [],
  });
  expect([turnRequest.isStreamed, includeUsage]).toEqual([true, true]);
});

test.for([
  ["none", "low", false],
  ["minimal", "low", false],
  ["low", "low", true],
  ["medium", "medium", true],
  ["high", "high", true],
  ["xhigh", "xhigh", true],
  ["max", "max", true],
] as const)("the effort %s is %s, and named where that is not the same", ([asked, effort, isExact]) => {
  const { turnRequest } = readChatRequest({ messages, reasoning_effort: asked });
  expect([turnRequest.effort, turnRequest.ignored]).toEqual([effort, isExact ? [] : ["reasoning_effort"]]);
});

test("an effort nobody knows is refused", () => {
  expect(() => readChatRequest({ messages, reasoning_effort: "very\n" })).toThrow(
    'reasoning_effort: "very?" is not known: send one of none, minimal',
  );
});

test("a JSON answer of any form is an object, a plain one has no schema", () => {
  const schema = (type: string) =>
    readChatRequest({ messages, response_format: { type } }).turnRequest.answerSchema;
  expect([schema("json_object"), schema("text")]).toEqual([{ type: "object" }, undefined]);
});
