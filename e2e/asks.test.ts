import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { setTimeout as pause } from "node:timers/promises";
import { eventually, expectClean, reply } from "@synthesis/testkit";
import OpenAI from "openai";
import { expect, test } from "vitest";
import { openStream, type AnswerStream } from "./support/answer-stream.ts";
import { asksCommand, openAsk, openAsks, settle } from "./support/asks.ts";
import { ask } from "./support/chat.ts";
import { WithClaude } from "./support/real-claude.ts";
import type { Synthesis } from "./support/synthesis.ts";

expectClean();

const inSession = { model: "claude", session: "one" } as const;
const write = (file_path: string) => ({ name: "Write", input: { file_path, content: "done" } });
const bash = (command: string) => ({ name: "Bash", input: { command, description: "a command" } });

/** A turn whose agent asks whether it may call a tool. */
async function asking(
  { api, synthesis }: WithClaude,
  call: ReturnType<typeof write> | ReturnType<typeof bash>,
  model = "claude",
): Promise<AnswerStream> {
  api.next(reply.toolUse(call, { text: "I have to ask." }), reply.text("That is it."));
  const stream = await openStream(synthesis, { ...inSession, model, say: "do it" });
  await stream.until("asks: may it use");
  return stream;
}

const inAlpha = ({ folder }: Synthesis, name: string) => folder.join("alpha", name);

test("chat: yes lets the tool run in the running turn, and whoever said it has the rest of the answer", async () => {
  await using running = await WithClaude.start();
  const { api, synthesis } = running;
  const file = synthesis.folder.join("outside.txt");
  const first = await asking(running, write(file));
  expect(first.content).toContain(file);
  expect(first.content).toContain("`no` with a reason");
  await eventually(async () => expect(await openAsks(synthesis)).toHaveLength(1));
  expect(existsSync(file)).toBe(false);
  const verdict = await openStream(synthesis, { ...inSession, say: "Yes" });
  expect(verdict.headers.get("x-synthesis-settles")).toMatch(/^[0-9a-f-]{36}$/);
  await Promise.all([first.end(), verdict.end()]);
  expect(await readFile(file, "utf8")).toBe("done");
  expect([first.isDone, verdict.isDone]).toEqual([true, true]);
  expect(first.content).toMatch(/^I have to ask\.[\s\S]*That is it\.$/);
  expect(verdict.content.trim()).toBe("That is it.");
  expect(await openAsks(synthesis)).toEqual([]);
  expect(api.conversations).toHaveLength(2);
  await synthesis.healthy({ turns: 0, waiting: 0 });
});

test("hold: a verdict that is not streamed is answered with the next question, and the turn goes on for whoever streams", async () => {
  await using running = await WithClaude.start();
  const { api, synthesis } = running;
  const made = ["first", "second"].map((name) => synthesis.folder.join(`${name}.txt`));
  const [one, two] = made.map(write);
  api.next(reply.toolUse(one!, { text: "One." }), reply.toolUse(two!, { text: "Two." }), reply.text("Done."));
  const stream = await openStream(synthesis, { ...inSession, say: "do it" });
  await stream.until("first.txt");
  const first = await ask(synthesis, { ...inSession, say: "yes" });
  expect(first.content).toMatch(/^\s*Two\.[\s\S]*asks: may it use[\s\S]*second\.txt/);
  expect(made.map((path) => existsSync(path))).toEqual([true, false]);
  await pause(1_100); // a word within a second is one that was said twice
  const second = await ask(synthesis, { ...inSession, say: "yes" });
  expect(second.content?.trim()).toBe("Done.");
  await stream.end();
  expect(stream.content).toMatch(/^One\.[\s\S]*Two\.[\s\S]*Done\.$/);
  expect(made.map((path) => existsSync(path))).toEqual([true, true]);
});

test("chat: an answer that is not streamed ends with the question, and the next request of the history is the verdict", async () => {
  await using running = await WithClaude.start();
  const { api, synthesis } = running;
  api.next(reply.toolUse(bash("touch made"), { text: "I have to ask." }), reply.text("That is it."));
  const client = new OpenAI({ baseURL: `${synthesis.endpoint}/v1`, apiKey: synthesis.key, maxRetries: 0 });
  const messages: OpenAI.ChatCompletionMessageParam[] = [{ role: "user", content: "do it" }];
  const say = async () => {
    const { choices } = await client.chat.completions.create({ model: "claude", messages });
    messages.push({ role: "assistant", content: choices[0]!.message.content });
    return choices[0]!.message.content;
  };
  expect(await say()).toContain("asks: may it use Bash");
  expect(existsSync(inAlpha(synthesis, "made"))).toBe(false);
  messages.push({ role: "user", content: "yes" });
  expect(await say()).toBe("That is it.");
  expect(existsSync(inAlpha(synthesis, "made"))).toBe(true);
  messages.push({ role: "user", content: "next" });
  expect(await say()).toBe("standin says: next");
  expect(api.conversations).toHaveLength(3);
});

test("chat: no with a reason is told to the agent, and any other text waits", async () => {
  await using running = await WithClaude.start();
  const { api, synthesis } = running;
  const first = await asking(running, bash("touch made"));
  const other = await openStream(synthesis, { ...inSession, say: "hello there" });
  await synthesis.healthy({ turns: 1, waiting: 1 });
  const verdict = await openStream(synthesis, { ...inSession, say: "no, ask Bob first" });
  await Promise.all([first.end(), verdict.end(), other.end()]);
  expect(JSON.stringify(api.conversations[1]?.body.messages)).toContain("ask Bob first");
  expect(existsSync(inAlpha(synthesis, "made"))).toBe(false);
  expect(other.content).toBe("standin says: hello there");
  expect(verdict.content.trim()).toBe("That is it.");
});

test("what was asked is part of the answer: a client that sends the whole history goes on in the same conversation", async () => {
  await using running = await WithClaude.start();
  const { api, synthesis } = running;
  const affinity = { model: "claude", headers: { "x-session-affinity": "chat" } };
  api.next(reply.toolUse(bash("touch made"), { text: "I have to ask." }), reply.text("That is it."));
  const first = await openStream(synthesis, { ...affinity, say: "do it" });
  await first.until("asks: may it use");
  await settle(synthesis, (await openAsk(synthesis)).id, { behavior: "allow" });
  await first.end();
  const messages = [
    { role: "user", content: "do it" },
    { role: "assistant", content: first.content },
    { role: "user", content: "and now?" },
  ];
  expect(await ask(synthesis, { ...affinity, say: messages })).toMatchObject({
    content: "standin says: and now?",
  });
  const last = api.conversations.at(-1)!;
  expect(last.userText).toBe("and now?");
  expect(JSON.stringify(last.body.messages)).not.toContain("may it use");
});

test("API: an ask is listed and settled, and the running turn goes on", async () => {
  await using running = await WithClaude.start();
  const { synthesis } = running;
  const stream = await asking(running, bash("touch made"));
  const { id, tool, title } = await openAsk(synthesis);
  expect([tool, title]).toEqual(["Bash", "Bash: touch made"]);
  const settled = await settle(synthesis, id, { behavior: "allow" });
  expect(settled).toMatchObject({ status: 200, body: { id, behavior: "allow", by: "api" } });
  await stream.end();
  expect(stream).toMatchObject({ isDone: true, finishReason: "stop" });
  expect(existsSync(inAlpha(synthesis, "made"))).toBe(true);
  expect(await settle(synthesis, id, { behavior: "deny" })).toMatchObject({
    status: 409,
    body: { error: { code: "ask_settled", message: "the ask has its verdict: allow, by api" } },
  });
});

test("CLI: asks are listed, shown and settled; always is asked no second time", async () => {
  await using running = await WithClaude.start();
  const { synthesis } = running;
  const refused = await asking(running, bash("touch made"));
  const first = await openAsk(synthesis);
  const list = await asksCommand(synthesis);
  expect(list.out).toContain(`${first.id}  alpha`);
  expect((await asksCommand(synthesis, "show", first.id)).out).toContain("title      Bash: touch made");
  const denied = await asksCommand(synthesis, "deny", first.id, "--message", "not yet");
  expect(denied).toMatchObject({ code: 0, out: `alpha: deny ${first.id}\n` });
  await refused.end();
  expect(existsSync(inAlpha(synthesis, "made"))).toBe(false);

  const allowed = await asking(running, bash("git init --quiet repo"));
  const second = await openAsk(synthesis);
  expect(second.always).not.toEqual([]);
  expect(await asksCommand(synthesis, "always", second.id)).toMatchObject({
    code: 0,
    out: `alpha: always ${second.id}\n`,
  });
  await allowed.end();
  expect(existsSync(inAlpha(synthesis, "repo"))).toBe(true);
  running.api.next(reply.toolUse(bash("git init --quiet repo")), reply.text("Again."));
  expect(await ask(synthesis, { ...inSession, say: "again" })).toMatchObject({ content: "Again." });
});

test("of many verdicts at once, over API and CLI, exactly one counts", async () => {
  await using running = await WithClaude.start();
  const { api, synthesis } = running;
  for (const round of [1, 2, 3]) {
    const name = `made${round}`;
    const stream = await asking(running, bash(`touch ${name}`));
    const { id } = await openAsk(synthesis);
    const commands = ["allow", "deny"].map(async (what) => asksCommand(synthesis, what, id));
    const late = round === 1 ? [] : commands; // the commands take their time
    await Promise.all(late.slice(0, round - 1));
    const calls = [...Array(8).keys()].map(async (index) =>
      settle(synthesis, id, { behavior: index % 2 === round % 2 ? "allow" : "deny" }),
    );
    const [answers, runs] = await Promise.all([Promise.all(calls), Promise.all(commands)]);
    const wonCalls = answers.filter(({ status }) => status === 200).map(({ body }) => body.behavior);
    const wonRuns = runs.filter(({ code }) => code === 0).map(({ out }) => out.split(" ")[1]);
    const won = [...wonCalls, ...wonRuns];
    expect(won).toHaveLength(1);
    for (const { status, body } of answers)
      if (status !== 200) expect([status, body.error?.code]).toEqual([409, "ask_settled"]);
    for (const { code, err } of runs)
      if (code !== 0) expect(err).toContain(`the ask has its verdict: ${won[0]}`);
    await stream.end();
    expect(existsSync(inAlpha(synthesis, name))).toBe(won[0] === "allow");
  }
  expect(api.conversations).toHaveLength(6);
});

test("an ask that nobody answers is denied at its deadline, and the agent goes on without it", async () => {
  const agents = { hasty: { workspace: "alpha", asks: { deadlineMs: 1_000 } } };
  await using running = await WithClaude.start({ agents });
  const { api, synthesis } = running;
  const stream = await asking(running, bash("touch made"), "hasty");
  const { id } = await openAsk(synthesis);
  await stream.end();
  expect(stream).toMatchObject({ isDone: true, finishReason: "stop" });
  expect(stream.content).toContain("That is it.");
  expect(existsSync(inAlpha(synthesis, "made"))).toBe(false);
  expect(JSON.stringify(api.conversations[1]?.body.messages)).toContain("did not answer within 1000 ms");
  expect((await settle(synthesis, id, { behavior: "allow" })).body.error?.message).toBe(
    "the ask has its verdict: deny, by deadline",
  );
});

test("a client that leaves denies what it was asked, and its turn is cancelled", async () => {
  await using running = await WithClaude.start({ limits: { vanishedMs: 100 } });
  const { synthesis } = running;
  const stream = await asking(running, bash("touch made"));
  const { id } = await openAsk(synthesis);
  stream.leave();
  await eventually(async () => expect(await openAsks(synthesis)).toEqual([]));
  expect((await settle(synthesis, id, { behavior: "allow" })).body.error?.message).toBe(
    "the ask has its verdict: deny, by cancelled",
  );
  await synthesis.healthy({ turns: 0 });
  expect(existsSync(inAlpha(synthesis, "made"))).toBe(false);
  expect(await ask(synthesis, { ...inSession, say: "still there?" })).toMatchObject({ status: 200 });
});

test("a verdict reaches a turn whose gateway has died since it asked", async () => {
  await using running = await WithClaude.start();
  const { synthesis } = running;
  const stream = await asking(running, bash("touch made"));
  await openAsk(synthesis);
  await synthesis.crash(synthesis.process("synthesis-gateway").pid);
  await expect(stream.end()).rejects.toThrow();
  await eventually(async () => expect(await openAsks(synthesis)).toHaveLength(1));
  const verdict = await openStream(synthesis, { ...inSession, say: "yes" });
  await verdict.end();
  expect(verdict).toMatchObject({ isDone: true, finishReason: "stop" });
  expect(verdict.content.trim()).toBe("That is it.");
  expect(existsSync(inAlpha(synthesis, "made"))).toBe(true);
});

test("Claude's own question is answered in the chat, by the option's number or in words, over the API and the CLI", async () => {
  await using running = await WithClaude.start();
  const { api, synthesis } = running;
  const option = (label: string) => ({ label, description: `the ${label} one` });
  const question = { question: "Which color?", header: "Color", options: [option("Red"), option("Blue")] };
  const call = { name: "AskUserQuestion", input: { questions: [{ ...question, multiSelect: false }] } };
  const answer = async (how: () => Promise<unknown>): Promise<string> => {
    api.next(reply.toolUse(call), reply.text("Thanks."));
    const stream = await openStream(synthesis, { ...inSession, say: "paint it" });
    await stream.until("Which color?");
    await how();
    await stream.end();
    expect(stream).toMatchObject({ isDone: true });
    const results = api.conversations.at(-1)?.body.messages?.at(-1);
    return JSON.stringify(results);
  };
  const inChat = (say: string) => async () => (await openStream(synthesis, { ...inSession, say })).end();
  expect(await answer(inChat("2"))).toContain("Blue");
  expect(await answer(inChat("a light green"))).toContain("a light green");
  const byApi = async () => {
    const { id } = await openAsk(synthesis);
    expect((await settle(synthesis, id, { behavior: "allow" })).status).toBe(400);
    await settle(synthesis, id, { behavior: "allow", answers: { "Which color?": "Red" } });
  };
  expect(await answer(byApi)).toContain("Red");
  const byCli = async () => {
    const { id } = await openAsk(synthesis);
    expect(await asksCommand(synthesis, "allow", id, "--answer", "Color=Blue")).toMatchObject({ code: 0 });
  };
  expect(await answer(byCli)).toContain("Blue");
});

test("of two tools that are asked for at once, each verdict settles one, the older first", async () => {
  await using running = await WithClaude.start();
  const { api, synthesis } = running;
  api.next(reply.toolUse([bash("touch one"), bash("touch two")]), reply.text("That is it."));
  const stream = await openStream(synthesis, { ...inSession, say: "do both" });
  await stream.until("touch one");
  const yes = openStream(synthesis, { ...inSession, say: "yes" });
  await stream.until("touch two");
  await pause(1_100); // sooner it is a word that was said twice
  const no = openStream(synthesis, { ...inSession, say: "no" });
  const ends = await Promise.all([stream, ...(await Promise.all([yes, no]))].map(async (each) => each.end()));
  expect(ends.map(({ isDone }) => isDone)).toEqual([true, true, true]);
  expect([existsSync(inAlpha(synthesis, "one")), existsSync(inAlpha(synthesis, "two"))]).toEqual([
    true,
    false,
  ]);
  expect(api.conversations).toHaveLength(2);
});
