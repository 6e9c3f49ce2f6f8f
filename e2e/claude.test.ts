import { expectClean, type MessagesStandIn } from "@synthesis/testkit";
import { expect, test } from "vitest";
import { streamed } from "./support/answer-stream.ts";
import { ask } from "./support/chat.ts";
import { WithClaude } from "./support/real-claude.ts";

expectClean();

/** What the last request to the API holds of the conversation. */
function lastHistory(api: MessagesStandIn): string[] {
  return api.conversations.at(-1)?.history.map(({ text }) => text) ?? [];
}

test("three turns of one conversation run on one process, with a growing history; a second one on another", async () => {
  await using running = await WithClaude.start();
  const { api, synthesis } = running;
  const chat = (say: string) => ask(synthesis, { model: "claude", session: "one", say });
  expect(await chat("first")).toMatchObject({ status: 200, content: "standin says: first" });
  const [claude] = synthesis.agents("alpha");
  await chat("second");
  await chat("third");
  expect(api.conversations.map(({ history }) => history.map(({ text }) => text))).toEqual([
    ["first"],
    ["first", "standin says: first", "second"],
    ["first", "standin says: first", "second", "standin says: second", "third"],
  ]);
  expect(synthesis.agents("alpha").map(({ pid }) => pid)).toEqual([claude?.pid]);
  await synthesis.healthy({ processes: 1, sessions: 1, turns: 0 });

  // A second conversation runs on another process, at the same time, and knows nothing of the first.
  const both = await Promise.all([
    streamed(synthesis, { model: "claude", session: "one", say: "I am one" }),
    streamed(synthesis, { model: "claude", session: "two", say: "I am two" }),
  ]);
  expect(both.map(({ content }) => content)).toEqual(["standin says: I am one", "standin says: I am two"]);
  await ask(synthesis, { model: "claude", session: "two", say: "still two" });
  expect(lastHistory(api)).toEqual(["I am two", "standin says: I am two", "still two"]);
  expect(synthesis.agents("alpha")).toHaveLength(2);
  await synthesis.healthy({ processes: 2, sessions: 2, turns: 0 });
});

test("two agents work in two workspaces, each in its own folder, with the Claude model that was asked for", async () => {
  await using running = await WithClaude.start();
  const { api, synthesis } = running;
  for (const model of ["claude", "claude-beta"]) await ask(synthesis, { model, session: "s", say: model });
  const seen = api.conversations.map(({ body }) => JSON.stringify(body));
  const folders = ["alpha", "beta"].map((name) => synthesis.folder.join(name));
  expect(seen.map((body) => folders.map((folder) => body.includes(folder)))).toEqual([
    [true, false],
    [false, true],
  ]);
  expect(lastHistory(api)).toEqual(["claude-beta"]);
  const { workers } = await synthesis.health();
  expect(workers.map(({ workspace }) => workspace)).toEqual(["alpha", "beta"]);
  for (const model of ["claude/claude-sonnet-4-5", "claude"])
    await ask(synthesis, { model, session: "s", say: "hi" });
  const [usual, , asked, again] = api.conversations.map(({ body }) => body.model);
  expect([asked, again]).toEqual(["claude-sonnet-4-5", usual]);
});

test("a session whose process made room for another one is resumed with its memory", async () => {
  await using running = await WithClaude.start({ limits: { processesPerWorkspace: 1 } });
  const { api, synthesis } = running;
  const chat = (session: string, say: string) => ask(synthesis, { model: "claude", session, say });
  await chat("one", "remember me");
  await chat("two", "make room");
  expect(synthesis.agents("alpha")).toHaveLength(1);
  await synthesis.log.line("agent.exited", { reason: "evicted" });
  expect(await chat("one", "again")).toMatchObject({ content: "standin says: again" });
  expect(lastHistory(api)).toEqual(["remember me", "standin says: remember me", "again"]);
});

test("an idle process is ended, and its session is resumed with its memory", async () => {
  await using running = await WithClaude.start({ limits: { idleMs: 200 } });
  const { api, synthesis } = running;
  await ask(synthesis, { model: "claude", session: "one", say: "remember me" });
  await synthesis.log.line("agent.exited", { reason: "idle" });
  await synthesis.healthy({ processes: 0, sessions: 1 });
  await ask(synthesis, { model: "claude", session: "one", say: "again" });
  expect(lastHistory(api)).toEqual(["remember me", "standin says: remember me", "again"]);
});

test("over the memory budget the processes idle longest are ended, over all workspaces, and resumed later", async () => {
  await using running = await WithClaude.start({ limits: { memoryMb: 180 } }); // room for one, not for two
  const { api, synthesis } = running;
  await ask(synthesis, { model: "claude", session: "one", say: "remember me" });
  await ask(synthesis, { model: "claude-beta", session: "two", say: "make room" });
  await synthesis.log.line("agent.exited", { reason: "evicted", workspace: "alpha" });
  await synthesis.healthy({ processes: 1 });
  await ask(synthesis, { model: "claude", session: "one", say: "again" });
  expect(lastHistory(api)).toEqual(["remember me", "standin says: remember me", "again"]);
});

test("a client without session headers is continued by its transcript, and an edited one is not", async () => {
  await using running = await WithClaude.start();
  const { api, synthesis } = running;
  const first = await ask(synthesis, { model: "claude", say: "hello" });
  const said = [
    { role: "user", content: "hello" },
    { role: "assistant", content: first.content ?? "" },
    { role: "user", content: "go on" },
  ];
  const second = await ask(synthesis, { model: "claude", say: said });
  expect(second.headers.get("x-synthesis-session")).toBe(first.headers.get("x-synthesis-session"));
  expect(lastHistory(api)).toEqual(["hello", "standin says: hello", "go on"]);
  expect(synthesis.agents("alpha")).toHaveLength(1);

  const edited = said.with(1, { role: "assistant", content: "something else" });
  const third = await ask(synthesis, { model: "claude", say: edited });
  expect(third.headers.get("x-synthesis-session")).not.toBe(first.headers.get("x-synthesis-session"));
  expect(lastHistory(api)).toEqual([expect.stringContaining("something else")]);
});

test("text that Claude Code would take for a command or a file arrives at the model as it was typed", async () => {
  await using running = await WithClaude.start();
  const { api, synthesis } = running;
  const texts = ["/clear", "@/etc/hostname", "!ls", "/compact now"];
  for (const say of texts) {
    const answer = await ask(synthesis, { model: "claude", session: "one", say });
    expect(answer.content).toBe(`standin says: ${say}`);
  }
  expect(lastHistory(api)).toEqual(texts.flatMap((text) => [text, `standin says: ${text}`]).slice(0, -1));
});
