import { EMPTY_TRANSCRIPT, rollTranscript, WireFailure } from "@synthesis/protocol";
import { expect, test } from "vitest";
import { readConversation, seededPrompt } from "../../src/identity/conversation.ts";
import type { ChatMessage } from "../../src/openai/chat-request.ts";

const user = (content: ChatMessage["content"]): ChatMessage => ({ role: "user", content });
const assistant = (content: string): ChatMessage => ({ role: "assistant", content });

test("the prompt is the latest user message, what stands before it is earlier, instructions are left out", () => {
  const messages: ChatMessage[] = [
    { role: "system", content: "be nice" },
    user("one"),
    assistant("two"),
    { role: "developer", content: "be brief" },
    user("three"),
    assistant("begun"),
  ];
  const { prompt, earlier } = readConversation(messages);
  expect(prompt).toBe("three");
  expect(earlier.map(({ content }) => content)).toEqual(["one", "two"]);
});

test("the text parts of an array are joined by newlines", () => {
  const parts = [
    { type: "text", text: "a" },
    { type: "text", text: "" },
    { type: "text", text: "ü" },
  ];
  expect(readConversation([user(parts)]).prompt).toBe("a\n\nü");
});

test.for<[title: string, messages: ChatMessage[], message: string]>([
  ["no user message", [assistant("hi")], "messages: there is no user message to answer"],
  ["an empty user message", [user("a"), user(" \n")], "messages.1.content: the user message is empty"],
  ["a user message without content", [user(null)], "messages.0.content: the user message is empty"],
  ["an empty array", [user([])], "messages.0.content: the user message is empty"],
  [
    "an image",
    [user([{ type: "text", text: "see" }, { type: "image_url" }])],
    'messages.0.content: parts of type "image_url" are not taken: send text',
  ],
])("%s is refused, naming the place", ([, messages, message]) => {
  expect(() => readConversation(messages)).toThrow(new WireFailure("invalid_request", message));
});

test("the first turn's history has the empty transcript's hash", () => {
  expect(readConversation([{ role: "system", content: "s" }, user("a")]).hashBefore).toBe(EMPTY_TRANSCRIPT);
});

test("the hash after a turn, rolled with the answer as the worker does, is the next turn's hash before", () => {
  const history: ChatMessage[] = [];
  let atWorker = EMPTY_TRANSCRIPT;
  for (const [prompt, answer] of [
    ["hello", "hi there"],
    ["ünïcode\n\n", ""],
    ["third", "done"],
  ] as const) {
    history.push(user(prompt.trim() === "" ? "x" : prompt));
    const { hashBefore, hashAfter } = readConversation(history);
    expect(hashBefore).toBe(atWorker);
    atWorker = rollTranscript(hashAfter, "assistant", answer);
    history.push(assistant(answer));
  }
});

test("the hash does not depend on how text is wrapped, and does on role, text and order", () => {
  const hash = (...earlier: ChatMessage[]) => readConversation([...earlier, user("now")]).hashBefore;
  const plain = hash(user("a"), assistant("b"));
  expect(hash({ role: "system", content: "s" }, user([{ type: "text", text: "a" }]), assistant("b"))).toBe(
    plain,
  );
  const others = [
    hash(user("a")),
    hash(assistant("b"), user("a")),
    hash(user("a"), user("b")),
    hash(user("a"), { role: "tool", content: "b" }),
    hash(user("ab"), assistant("")),
    hash(user("a"), assistant("b "), user("c")),
  ];
  expect(new Set([plain, ...others]).size).toBe(others.length + 1);
});

test("a session that knows nothing is told the earlier messages and then the prompt", () => {
  const conversation = readConversation([
    user("one"),
    assistant("two"),
    { role: "tool", content: "3" },
    user("four"),
  ]);
  expect(seededPrompt(conversation)).toBe(
    '<conversation_so_far>\n<message role="user">\none\n</message>\n<message role="assistant">\ntwo\n</message>\n' +
      '<message role="tool">\n3\n</message>\n</conversation_so_far>\n\nThe conversation goes on. The user now says:\n\nfour',
  );
});
