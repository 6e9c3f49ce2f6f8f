import { expectClean, reply } from "@synthesis/testkit";
import { expect, test } from "vitest";
import { ask, type Chat } from "./support/chat.ts";
import { WithClaude } from "./support/real-claude.ts";

expectClean();

interface Said {
  readonly role: "user" | "assistant";
  readonly content: string;
}

/** A client that keeps nothing but its messages, and sends all of them each time. */
class StatelessChat {
  readonly #running: WithClaude;
  readonly #chat: Omit<Chat, "say">;
  messages: readonly Said[] = [];
  /** The session and the rule of its latest answer. */
  session: string | null = null;
  rule: string | null = null;

  constructor(running: WithClaude, chat: Omit<Chat, "say"> = {}, messages: readonly Said[] = []) {
    this.#running = running;
    this.#chat = chat;
    this.messages = messages;
  }

  async say(content: string): Promise<string> {
    const messages = [...this.messages, { role: "user", content } as const];
    const answer = await ask(this.#running.synthesis, { model: "claude", ...this.#chat, say: messages });
    expect(answer.error).toBeUndefined();
    this.messages = [...messages, { role: "assistant", content: answer.content ?? "" }];
    this.session = answer.headers.get("x-synthesis-session");
    this.rule = answer.headers.get("x-synthesis-session-rule");
    return answer.content ?? "";
  }

  /** Another window on the same chat, up to and without message number `end`. */
  upTo(end: number): StatelessChat {
    return new StatelessChat(this.#running, this.#chat, this.messages.slice(0, end));
  }

  /** What the API was last told, and must be told: exactly the messages that this client sent. */
  expectTold(): void {
    const told = this.#running.api.conversations.at(-1)?.history.map(({ text }) => text);
    expect(told).toEqual(this.messages.slice(0, -1).map(({ content }) => content));
  }
}

/** Answers that are never the same, so that a history shows where it comes from. */
function number(running: WithClaude): void {
  let count = 0;
  running.api.script(() => reply.text(`answer ${++count}`));
}

test.for<[title: string, chat: Omit<Chat, "say">]>([
  ["by its transcript alone", {}],
  ["with a key of its own", { body: { prompt_cache_key: "chat" } }],
])("edit, regenerate and branch: the right history each time, %s", async ([, how]) => {
  await using running = await WithClaude.start();
  number(running);
  const chat = new StatelessChat(running, how);
  for (const said of ["one", "two", "three"]) {
    await chat.say(said);
    chat.expectTold();
  }
  expect(running.synthesis.agents("alpha")).toHaveLength(1);

  const edited = chat.upTo(4); // the third message is another one now
  await edited.say("three, edited");
  edited.expectTold();
  const again = edited.upTo(4);
  await again.say("three, edited"); // regenerated: the same once more
  again.expectTold();
  expect(again.messages.at(-1)).not.toEqual(edited.messages.at(-1));
  const branch = again.upTo(2);
  await branch.say("two, otherwise");
  branch.expectTold();
  await branch.say("and on");
  branch.expectTold();
  const start = chat.upTo(0);
  await start.say("one, otherwise");
  start.expectTold();
  expect(running.api.conversations).toHaveLength(8);
});

test("of a chat without a key both branches go on, each with its own history", async () => {
  await using running = await WithClaude.start();
  number(running);
  const chat = new StatelessChat(running);
  await chat.say("one");
  await chat.say("two");
  const branch = chat.upTo(2);
  await branch.say("two, otherwise");
  expect(branch.session).not.toBe(chat.session);
  await chat.say("three");
  chat.expectTold();
  await branch.say("three, otherwise");
  branch.expectTold();
  expect([chat.rule, branch.rule]).toEqual(["transcript", "transcript"]);
});

test("two chats with the same first message never meet, whether they begin at once or one after the other", async () => {
  await using running = await WithClaude.start();
  number(running);
  const chats = [new StatelessChat(running), new StatelessChat(running), new StatelessChat(running)];
  await chats[2]?.say("hello");
  await Promise.all([chats[0]?.say("hello"), chats[1]?.say("hello")]);
  for (const [index, chat] of chats.entries()) {
    await chat.say(`I am ${index}`);
    chat.expectTold();
  }
  for (const [index, chat] of chats.entries()) {
    await chat.say(`still ${index}`);
    chat.expectTold();
  }
  expect(new Set(chats.map(({ session }) => session)).size).toBe(3);
});

test("two chats that are the same to the word so far are not mixed up: one of them begins anew, told all of it", async () => {
  await using running = await WithClaude.start();
  running.api.script(() => reply.text("the same"));
  const [one, two] = [new StatelessChat(running), new StatelessChat(running)];
  await one.say("hello");
  await two.say("hello");
  await one.say("and I am one");
  await two.say("and I am two");
  for (const { history } of running.api.conversations.slice(2)) {
    const told = history.map(({ text }) => text).join("\n");
    expect(told.includes("I am one") && told.includes("I am two")).toBe(false);
    expect(told).toContain("the same");
  }
  expect(one.session).not.toBe(two.session);
});

test("a history that Synthesis never saw is told to Claude, and goes on from there on one process", async () => {
  await using running = await WithClaude.start();
  number(running);
  const chat = new StatelessChat(running, {}, [
    { role: "user", content: "my name is Ada" },
    { role: "assistant", content: "Hello, Ada" },
  ]);
  await chat.say("what is my name?");
  const told = running.api.conversations.at(-1)?.userText ?? "";
  for (const text of ["my name is Ada", "Hello, Ada", "what is my name?"]) expect(told).toContain(text);
  await chat.say("and now?");
  expect(chat.rule).toBe("transcript");
  expect(running.api.conversations.at(-1)?.userText).toBe("and now?");
  expect(running.synthesis.agents("alpha")).toHaveLength(1);
});
