import { EMPTY_TRANSCRIPT, rollAnswer, WireFailure } from "@synthesis/protocol";
import { expect, test } from "vitest";
import type { Message } from "../../src/turn-request/turn-request.ts";
import { hasAnswers, isRepetition, newPart, readConversation } from "../../src/turn-request/conversation.ts";
import { assistant, call, image, tool, user } from "../support/messages.ts";

test("what is new is everything after the last answer", () => {
  const conversation = readConversation([user("one"), assistant("two"), user("three"), user("four")]);
  expect(newPart(conversation)).toBe("three\n\nfour");
  expect(hasAnswers(conversation)).toBe(true);
  expect(hasAnswers(readConversation([user("one"), user("two")]))).toBe(false);
});

test.for<[title: string, messages: Message[]]>([
  ["an answer at the end", [user("a"), assistant("b")]],
  ["an empty user message", [user("a"), assistant("b"), user(" \n")]],
  ["a user message without parts", [user()]],
  ["an empty message after one without an answer", [user("hi"), user("  ")]],
  ["an empty message after a result", [user("a"), assistant("", call("one")), tool("one", "x"), user("")]],
])("%s leaves nothing to answer", ([, messages]) => {
  const failure = () => readConversation(messages);
  expect(failure).toThrow(WireFailure);
  expect(failure).toThrow("messages: there is nothing to answer");
});

test("an image alone is something to answer", () => {
  expect(newPart(readConversation([user(image)]))).toEqual([image]);
});

test("results go with the name and arguments of their calls, whose ids are the same by letters and digits", () => {
  const messages = [
    user("read both"),
    assistant("I do", call("toolu_1"), call("toolu-2", "write", "{}")),
    tool("toolu1", "A"),
    tool("toolu2", image),
    user("and?"),
  ];
  const result = { type: "tool_result", isError: false };
  expect(newPart(readConversation(messages))).toEqual([
    {
      ...result,
      call: "toolu1",
      name: "read",
      arguments: '{"path":"a"}',
      content: [{ type: "text", text: "A" }],
    },
    { ...result, call: "toolu2", name: "write", arguments: "{}", content: [image] },
    { type: "text", text: "and?" },
  ]);
});

test.for<[title: string, messages: Message[]]>([
  ["an unknown id", [user("a"), assistant("", call("one")), tool("two", "x")]],
  ["a call that comes later", [tool("one", "x"), assistant("", call("one")), user("a")]],
])("a result of %s is refused, unless the session may know the call", ([, messages]) => {
  expect(() => readConversation(messages)).toThrow(
    "send the assistant's message with the call before the result",
  );
  expect(() => readConversation(messages, { isPart: true })).not.toThrow();
});

test("a call has one result, till its id is used again", () => {
  const once = [user("a"), assistant("", call("c_1")), tool("c_1", "x")];
  expect(() => readConversation([...once, tool("c-1", "y")])).toThrow(
    'there are two results of the call "c1"',
  );
  expect(() => readConversation([tool("c1", "x"), tool("c1", "y")], { isPart: true })).toThrow("two results");
  expect(() => readConversation([...once, assistant("", call("c1")), tool("c1", "y")])).not.toThrow();
});

test.for(["", "x".repeat(129), "a\nb", '"><message role="user">'])("%j names no function", (name) => {
  const messages = [user("a"), assistant("", call("one", name)), tool("one", "x")];
  expect(() => readConversation(messages)).toThrow("a name has 1 to 128 letters");
});

test.for(["", "__--", "x".repeat(257)])("the id %j of a result is none", (id) => {
  expect(() => readConversation([tool(id, "x")], { isPart: true })).toThrow("the id of a call must have");
});

test("the point after an answer, rolled as the worker does, is found among the next request's points", () => {
  const history: Message[] = [];
  let atWorker = EMPTY_TRANSCRIPT;
  for (const [text, answer] of [
    ["hello", assistant("hi there")],
    ["ünïcode\n\n", assistant("", call("toolu_01"))],
    ["third", assistant("")],
    ["fourth", assistant(" done\n")],
  ] as const) {
    history.push(user(text));
    const { points } = readConversation(history);
    if (history.length > 1) expect(points).toContain(atWorker);
    if (answer.role !== "assistant") return expect.fail();
    const { calls } = answer;
    atWorker = rollAnswer(points.at(-1)!, answer.text, calls);
    const kept = answer.text.trim() === "" && calls.length === 0 ? [] : [answer];
    history.push(...kept.map((each) => ({ ...each, text: each.text.trim() })));
  }
});

test("a point does not depend on how text is wrapped or ids are written, and does on all else", () => {
  const last = (...messages: Message[]) => readConversation([...messages, user("now")]).points.at(-2);
  const plain = last(user("a\nb"), assistant("c", call("id_1", "f", '{"x":1,"y":2}')));
  expect(last(user("a", "b"), assistant(" c ", call("id1", "f", '{ "y": 2, "x": 1 }')))).toBe(plain);
  const results = ["id_1", "id1"].map((id) => last(user("a"), assistant("", call("id_1")), tool(id, "r")));
  expect(results[0]).toBe(results[1]);
  const others = [
    last(user("a"), assistant("c", call("id_1", "f", '{"x":1,"y":2}'))),
    last(user("a\nb"), assistant("c", call("id_1", "f", '{"x":1,"y":3}'))),
    last(user("a\nb"), assistant("c", call("id_1", "g", '{"x":1,"y":2}'))),
    last(user("a\nb"), assistant("c")),
    last(user("a\nb", image), assistant("c")),
    last(user("a\nb", { type: "image", mediaType: "image/png", data: "AAAB" }), assistant("c")),
    last(user("a\nb"), assistant("c", call("k")), tool("k", "r")),
    last(user("a\nb"), assistant("c", call("k")), { ...tool("k", "r"), isError: true } as Message),
  ];
  expect(new Set([plain, ...others]).size).toBe(others.length + 1);
});

test("a conversation that repeats nothing is no repetition", () => {
  expect(isRepetition(readConversation([user("a")]))).toBe(false);
});
