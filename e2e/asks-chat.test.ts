import { existsSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { eventually, expectClean, reply, tempFolder } from "@synthesis/testkit";
import { expect, test } from "vitest";
import { streamed, type AnswerStream } from "./support/answer-stream.ts";
import { openAsk, openAsks, settle } from "./support/asks.ts";
import { ask } from "./support/chat.ts";
import { WithClaude } from "./support/real-claude.ts";
import type { Synthesis } from "./support/synthesis.ts";

expectClean();

const agents = { careful: { workspace: "alpha", asks: { mode: "chat" } } };
const inSession = { model: "careful", session: "one" } as const;
const touch = (name: string) => ({
  name: "Bash",
  input: { command: `touch ${name}`, description: "a command" },
});
const exists = ({ folder }: Synthesis, name: string) => existsSync(folder.join("alpha", name));

/** A turn that has ended with the question whether its agent may make a file. */
async function asked({ api, synthesis }: WithClaude): Promise<AnswerStream> {
  api.next(reply.toolUse(touch("made"), { text: "I have to ask." }), reply.text("That is it."));
  const stream = await streamed(synthesis, { ...inSession, say: "do it" });
  expect(stream).toMatchObject({ isDone: true, finishReason: "stop" });
  expect(stream.content).toContain("asks: may it use Bash");
  return stream;
}

async function stateOf({ endpoint, key }: Synthesis): Promise<unknown> {
  const headers = { authorization: `Bearer ${key}` };
  const list = (await (await fetch(`${endpoint}/v1/synthesis/sessions`, { headers })).json()) as {
    readonly data: readonly { readonly state: string }[];
  };
  return list.data.map(({ state }) => state);
}

test("the answer ends with the question, and the next message goes on with the same Claude turn", async () => {
  await using running = await WithClaude.start({ agents });
  const { api, synthesis } = running;
  const first = await asked(running);
  expect(await stateOf(synthesis)).toEqual(["asking"]);
  expect(await openAsk(synthesis)).toMatchObject({ tool: "Bash", kind: "permission" });
  expect(exists(synthesis, "made")).toBe(false);
  const rest = await streamed(synthesis, { ...inSession, say: "yes" });
  expect(rest).toMatchObject({ isDone: true, content: "That is it.", finishReason: "stop" });
  expect(exists(synthesis, "made")).toBe(true);
  expect(await openAsks(synthesis)).toEqual([]);
  expect(api.conversations).toHaveLength(2);
  expect(rest.headers.get("x-synthesis-turn")).not.toBe(first.headers.get("x-synthesis-turn"));
  expect(await ask(synthesis, { ...inSession, say: "next" })).toMatchObject({
    content: "standin says: next",
  });
  expect(JSON.stringify(api.conversations.at(-1)?.body.messages)).not.toContain('"yes"');
});

test("a client that sends the whole history, without a key or with one, is understood at each step", async () => {
  await using running = await WithClaude.start({ agents });
  const { api, synthesis } = running;
  for (const [name, headers] of [
    ["plain", {}],
    ["keyed", { "x-session-affinity": "chat" }],
  ] as const) {
    const chat = { model: "careful", headers };
    const before = api.conversations.length;
    const say: { role: string; content: string }[] = [{ role: "user", content: `make ${name}` }];
    api.next(reply.toolUse(touch(name), { text: "I have to ask." }), reply.text("That is it."));
    const first = await streamed(synthesis, { ...chat, say });
    say.push({ role: "assistant", content: first.content }, { role: "user", content: "always" });
    const second = await streamed(synthesis, { ...chat, say });
    expect(second.content).toBe("That is it.");
    say.push({ role: "assistant", content: second.content }, { role: "user", content: "next" });
    expect(await ask(synthesis, { ...chat, say })).toMatchObject({ content: "standin says: next" });
    const last = api.conversations.at(-1)!;
    expect(last.userText).toBe("next");
    expect(JSON.stringify(last.body.messages)).not.toContain("conversation_so_far");
    expect([api.conversations.length - before, exists(synthesis, name)]).toEqual([3, true]);
  }
});

test("no is told to the agent with its reason; a busy policy is no matter", async () => {
  await using running = await WithClaude.start({ agents });
  const { api, synthesis } = running;
  await asked(running);
  const headers = { "x-synthesis-busy": "reject" };
  expect(await ask(synthesis, { ...inSession, headers, say: "No: ask Bob" })).toMatchObject({
    content: "That is it.",
  });
  expect(JSON.stringify(api.conversations[1]?.body.messages)).toContain("ask Bob");
  expect(exists(synthesis, "made")).toBe(false);
});

test("any other text denies, and is a turn of its own", async () => {
  await using running = await WithClaude.start({ agents });
  const { api, synthesis } = running;
  api.next(reply.toolUse(touch("made")));
  await streamed(synthesis, { ...inSession, say: "do it" });
  await openAsk(synthesis);
  const other = await streamed(synthesis, { ...inSession, say: "what is the time?" });
  expect(other.content).toMatch(/^standin says: [^]*what is the time\?$/); // Claude Code tells of the interrupt too
  expect(other.isDone).toBe(true);
  expect(exists(synthesis, "made")).toBe(false);
  expect(await openAsks(synthesis)).toEqual([]);
});

test("a verdict over the API continues the turn; what it says waits for the next message", async () => {
  await using running = await WithClaude.start({ agents });
  const { synthesis } = running;
  await asked(running);
  const { id } = await openAsk(synthesis);
  expect((await settle(synthesis, id, { behavior: "allow" })).status).toBe(200);
  await eventually(() => expect(exists(synthesis, "made")).toBe(true));
  const next = await streamed(synthesis, { ...inSession, say: "what is the time?" });
  expect(next.content).toMatch(/^That is it\.[\s\S]*standin says: what is the time\?$/);
});

test("a yes that comes after the deadline is no prompt", async () => {
  const hasty = { careful: { workspace: "alpha", asks: { mode: "chat", deadlineMs: 1_000 } } };
  await using running = await WithClaude.start({ agents: hasty });
  const { api, synthesis } = running;
  await asked(running);
  await eventually(async () => expect(await openAsks(synthesis)).toEqual([]));
  await eventually(() => expect(api.conversations).toHaveLength(2));
  const late = await streamed(synthesis, { ...inSession, say: "yes" });
  expect(late.content).toContain("That is it.");
  expect(exists(synthesis, "made")).toBe(false);
  expect(JSON.stringify(api.conversations.map(({ body }) => body.messages))).not.toContain('"yes"');
});

test("a worker that is restarted denies what was asked, and the session goes on", async () => {
  await using running = await WithClaude.start({ agents });
  const { synthesis } = running;
  await asked(running);
  await synthesis.crash(synthesis.process("synthesis-worker alpha").pid);
  await eventually(async () => expect(await openAsks(synthesis)).toEqual([]));
  const next = await streamed(synthesis, { ...inSession, say: "yes" });
  expect(next).toMatchObject({ isDone: true });
  expect(exists(synthesis, "made")).toBe(false);
});

test("OpenClaw's stamp is no part of the verdict", async () => {
  await using folder = await tempFolder();
  const [key, file] = ["sk-the-key-that-openclaw-has", folder.join("key")];
  await writeFile(file, key, { mode: 0o600 });
  const config = { keys: { claw: { file, client: "openclaw" } } };
  await using running = await WithClaude.start({ agents, config });
  const { api, synthesis } = running;
  const headers = { authorization: `Bearer ${key}`, "x-session-affinity": "agent:main:main:1" };
  const tools = [
    { type: "function", function: { name: "read", parameters: { type: "object", properties: {} } } },
  ];
  const stamp = (text: string) => `[Mon 2026-11-23 09:15 UTC] ${text}`;
  const say: { role: string; content: string }[] = [{ role: "user", content: stamp("do it") }];
  const chat = { model: "careful", headers, body: { tools } };
  api.next(reply.toolUse(touch("made"), { text: "I have to ask." }), reply.text("That is it."));
  const first = await streamed(synthesis, { ...chat, say });
  expect(first.content).toContain("asks: may it use Bash");
  say.push({ role: "assistant", content: first.content }, { role: "user", content: stamp("YES") });
  const rest = await streamed(synthesis, { ...chat, say });
  expect(rest.content).toBe("That is it.");
  expect(exists(synthesis, "made")).toBe(true);
});
