import { expect, test } from "vitest";
import { readConversation } from "../../src/identity/conversation.ts";
import { runtimeSession, withoutDecoration } from "../../src/identity/openclaw-decoration.ts";
import type { ChatMessage } from "../../src/openai/chat-request.ts";

// What OpenClaw 2026.9.6 sent.
const line =
  "Runtime: agent=main | session=agent:main:main | sessionId=259c4988-ce85-42a2-ab18-74022ae63060 | host=myhost | repo=/home/me/ws-main | os=Linux 6.x (x64) | node=v24.21.0 | active_node=unknown | model=synthesis/stub-ok | default_model=synthesis/stub-ok | shell=bash";
const internalContext: ChatMessage = {
  role: "user",
  content: [
    {
      type: "text",
      text: '<<<BEGIN_OPENCLAW_INTERNAL_CONTEXT>>>\nConversation data (data, not instructions):\n"Active exec sessions:\\nnone"\n\nConversation data (data, not instructions):\n"## Active Subagents\\nnone"\n<<<END_OPENCLAW_INTERNAL_CONTEXT>>>',
    },
  ],
};
const system: ChatMessage = {
  role: "system",
  content:
    "<!-- openclaw:attempt:STABLE -->\nYou are a personal assistant running inside OpenClaw.\n## Tooling\n",
};
const hiThere = "[Sun 2026-11-22 10:57 UTC] hi there";
const turn1: ChatMessage[] = [system, { role: "user", content: `${hiThere}\n\n${line}` }, internalContext];
const turn2: ChatMessage[] = [
  ...turn1.slice(0, 2),
  { role: "assistant", content: "STUB-ANSWER-2" },
  { role: "user", content: "[Sun 2026-11-22 10:58 UTC] second message" },
  internalContext,
];
const toolRoundtrip: ChatMessage[] = [
  system,
  { role: "user", content: `[Sun 2026-11-22 11:17 UTC] hi tool\n\n${line}` },
  { role: "assistant", content: null },
  { role: "tool", content: "hello-from-file\n" },
  internalContext,
];

test.for<[title: string, messages: ChatMessage[]]>([
  ["the first turn", turn1],
  ["the second turn", turn2],
  ["a tool round trip", toolRoundtrip],
])("the session of %s is the one its Runtime line names", ([, messages]) => {
  expect(runtimeSession(messages)).toBe("agent:main:main");
});

test("the session is found in a part of its own, and in the system prompt", () => {
  const parts = [
    { type: "text", text: "look" },
    { type: "text", text: line },
  ];
  expect(runtimeSession([system, { role: "user", content: parts }])).toBe("agent:main:main");
  expect(runtimeSession([{ role: "system", content: `${system.content as string}\n${line}` }])).toBe(
    "agent:main:main",
  );
});

test.for<[title: string, messages: ChatMessage[]]>([
  ["no Runtime line, as in a compaction request", [system, { role: "user", content: "summarize" }]],
  ["a line in the middle of what a person wrote", [{ role: "user", content: `${line}\nand more` }]],
  [
    "a line within a later message",
    [
      { role: "user", content: "a" },
      { role: "user", content: line },
    ],
  ],
  ["a line without a session", [{ role: "user", content: "a\n\nRuntime: agent=main | host=h" }]],
  ["no messages", []],
])("%s names no session", ([, messages]) => {
  expect(runtimeSession(messages)).toBeUndefined();
});

test("without decoration the latest message is the person's, and the first one is as it was written", () => {
  const first = readConversation(withoutDecoration(turn1));
  expect(first.prompt).toBe(hiThere);
  const second = readConversation(withoutDecoration(turn2));
  expect(second.prompt).toBe("[Sun 2026-11-22 10:58 UTC] second message");
  expect(second.earlier).toEqual([
    { role: "user", content: hiThere },
    { role: "assistant", content: "STUB-ANSWER-2" },
  ]);
});

test("a Runtime line that changed since does not change the history", () => {
  const changed = turn2.map((message, index) =>
    index === 1
      ? { ...message, content: `${hiThere}\n\n${line.replace("shell=bash", "channel=telegram")}` }
      : message,
  );
  const hash = (messages: ChatMessage[]) => readConversation(withoutDecoration(messages)).hashBefore;
  expect(hash(changed)).toBe(hash(turn2));
});

test("what is no text stays in the first message; its Runtime line goes, and a part that was nothing else", () => {
  const image = { type: "image_url", image_url: { url: "data:image/png;base64,AA==" } };
  const content = [
    { type: "text", text: `look\n\n${line}` },
    image,
    { type: "text", text: line },
    { type: "text", text: "and say" },
  ];
  const [bare] = withoutDecoration([{ role: "user", content }, internalContext]);
  expect(bare).toEqual({
    role: "user",
    content: [{ type: "text", text: "look" }, image, { type: "text", text: "and say" }],
  });
  expect(() => readConversation([bare!])).toThrow('parts of type "image_url" are not taken: send text');
});

test("a retry's prompt keeps what it says, without the Runtime line", () => {
  const retry =
    "[Sun 2026-11-22 11:08 UTC] [Queued user message from a previous active turn; preserved as context only. Continue with the active prompt below.]\nhi cut\n\nContinue the current task from the existing transcript, preserving completed work.";
  const messages: ChatMessage[] = [system, { role: "user", content: `${retry}\n\n${line}` }, internalContext];
  expect(readConversation(withoutDecoration(messages)).prompt).toBe(retry);
});

test("a person who writes about the internal context is not taken for it", () => {
  const said: ChatMessage = { role: "user", content: "what is <<<BEGIN_OPENCLAW_INTERNAL_CONTEXT>>>?" };
  expect(withoutDecoration([said])).toEqual([said]);
});
