import { eventually, expectClean, reply } from "@synthesis/testkit";
import OpenAI from "openai";
import { expect, test } from "vitest";
import { AnswerStream, openStream, streamed } from "./support/answer-stream.ts";
import { ask } from "./support/chat.ts";
import { WithClaude } from "./support/real-claude.ts";
import type { Synthesis } from "./support/synthesis.ts";

expectClean();

const inSession = { model: "claude", session: "one" } as const;
const keyed = (key: string) => ({ headers: { "idempotency-key": key } });

async function ofTurn(
  synthesis: Synthesis,
  method: string,
  path: string,
  headers: object = {},
): Promise<Response> {
  return fetch(`${synthesis.endpoint}/v1/synthesis/turns/${path}`, {
    method,
    headers: { authorization: `Bearer ${synthesis.key}`, ...headers },
  });
}

test("the OpenAI SDK's own retry joins the turn whose gateway was killed: Claude is asked once", async () => {
  await using running = await WithClaude.start({ limits: { drainMs: 100 } });
  const { api, synthesis } = running;
  const client = new OpenAI({ apiKey: synthesis.key, baseURL: `${synthesis.endpoint}/v1` });
  const gate = reply.gated();
  api.next(gate.reply);
  const answer = client.chat.completions.create({
    model: "claude",
    messages: [{ role: "user", content: "long work" }],
  });
  await gate.opened;
  gate.push("begun");
  await synthesis.crash(synthesis.process("synthesis-gateway").pid);
  gate.push(", and done");
  gate.end();
  expect((await answer).choices[0]?.message.content).toBe("begun, and done");
  expect(api.conversations).toHaveLength(1);
});

test("a stream that is posted again with its Idempotency-Key begins with its first word, and goes on", async () => {
  await using running = await WithClaude.start({ limits: { drainMs: 100 } });
  const { api, synthesis } = running;
  const gate = reply.gated();
  api.next(gate.reply);
  const chat = { ...inSession, ...keyed("k"), say: "long work" };
  const first = await openStream(synthesis, chat);
  gate.push("one");
  await first.until("one");
  await synthesis.crash(synthesis.process("synthesis-gateway").pid);
  await expect(first.end()).rejects.toThrow("terminated");
  const second = await openStream(synthesis, chat);
  await second.until("one");
  gate.push(" two");
  gate.end();
  expect(await second.end()).toMatchObject({ content: "one two", isDone: true, error: undefined });
  expect(second.headers.get("x-synthesis-turn")).toBe(first.headers.get("x-synthesis-turn"));
  expect(second.headers.get("x-synthesis-turn-joined")).toBe("true");
  expect(api.conversations).toHaveLength(1);
});

test("sixteen requests at once with one key are one turn, and another body under it is refused", async () => {
  await using running = await WithClaude.start({ limits: { drainMs: 100 } });
  const { api, synthesis } = running;
  const chat = { ...inSession, ...keyed("k"), say: "once" };
  const answers = await Promise.all(Array.from({ length: 16 }, () => streamed(synthesis, chat)));
  expect(new Set(answers.map(({ content }) => content))).toEqual(new Set(["standin says: once"]));
  expect(api.conversations).toHaveLength(1);
  expect(await ask(synthesis, { ...chat, say: "something else" })).toMatchObject({
    status: 422,
    error: { code: "idempotency_conflict" },
  });
});

test("an answer is read again after its worker and gateway died, and from where a reader was", async () => {
  await using running = await WithClaude.start({ limits: { drainMs: 100 } });
  const { api, synthesis } = running;
  api.next(reply.text("a b c"));
  const chat = { ...inSession, ...keyed("k"), say: "letters" };
  const answer = await streamed(synthesis, chat);
  const turn = answer.headers.get("x-synthesis-turn") ?? "";
  for (const name of ["synthesis-worker alpha", "synthesis-gateway"])
    await synthesis.crash(synthesis.process(name).pid);
  await eventually(async () =>
    expect(await streamed(synthesis, chat)).toMatchObject({ content: "a b c", isDone: true }),
  );
  const rest = new AnswerStream(
    await ofTurn(synthesis, "GET", `${turn}/events`, { "last-event-id": `${turn}:1` }),
    new AbortController(),
  );
  expect(await rest.end()).toMatchObject({ isDone: true, error: undefined });
  expect(answer.content).toBe(`${answer.parts[0]}${rest.content}`);
  expect(await (await ofTurn(synthesis, "GET", turn)).json()).toMatchObject({ id: turn, state: "completed" });
  expect(api.conversations).toHaveLength(1);
});

test("DELETE cancels a turn that runs and one that waits; each ends once", async () => {
  await using running = await WithClaude.start({ limits: { drainMs: 100 } });
  const { api, synthesis } = running;
  const gate = reply.gated();
  api.next(gate.reply);
  const works = await openStream(synthesis, { ...inSession, say: "long work" });
  gate.push("begun");
  await works.until("begun");
  const waits = await openStream(synthesis, { ...inSession, say: "later" });
  for (const stream of [waits, works]) {
    const turn = stream.headers.get("x-synthesis-turn") ?? "";
    expect((await ofTurn(synthesis, "DELETE", turn)).status).toBe(202);
    expect(await stream.end()).toMatchObject({ isDone: false, error: { code: "turn_cancelled" } });
  }
  expect(api.conversations).toHaveLength(1);
  expect((await ofTurn(synthesis, "GET", crypto.randomUUID())).status).toBe(404);
});

test.each(["its Claude", "its worker"])(
  "onInterrupt: resume lets the next process finish a turn that the death of %s cut, on the same stream",
  async (who) => {
    const writer = { workspace: "alpha", onInterrupt: "resume" };
    await using running = await WithClaude.start({ agents: { writer } });
    const { api, synthesis } = running;
    await ask(synthesis, { model: "writer", session: "one", say: "hello" });
    const gate = reply.gated();
    api.next(gate.reply, reply.text("a new beginning, and the end"));
    const stream = await openStream(synthesis, { model: "writer", session: "one", say: "long work" });
    gate.push("half of it");
    await stream.until("half of it");
    const [claude] = synthesis.agents("alpha");
    const worker = synthesis.process("synthesis-worker alpha");
    await synthesis.crash(who === "its Claude" ? (claude?.pid ?? 0) : worker.pid);
    expect(await stream.end()).toMatchObject({
      content: "half of it\n\na new beginning, and the end",
      isDone: true,
      error: undefined,
    });
    expect(stream.reasoning).toContain("resumed after an interruption");
    expect(api.conversations.map(({ userText }) => userText)).toEqual(["hello", "long work", "long work"]);
    expect((await ask(synthesis, { model: "writer", session: "one", say: "and now?" })).content).toBe(
      "standin says: and now?",
    );
  },
);

test("a session whose transcript is gone begins anew, told what the request knows, and says so", async () => {
  await using running = await WithClaude.start({ limits: { idleMs: 100 } });
  const { api, synthesis } = running;
  await ask(synthesis, { ...inSession, say: "remember me" });
  await synthesis.healthy({ processes: 0 });
  await running.forgetTranscripts();
  const messages = [
    { role: "user", content: "remember me" },
    { role: "assistant", content: "standin says: remember me" },
    { role: "user", content: "who am I?" },
  ];
  const answer = await ask(synthesis, { ...inSession, say: messages });
  expect(answer.status).toBe(200);
  expect(answer.headers.get("x-synthesis-session-reset")).toContain("missing");
  expect(api.conversations.at(-1)?.userText).toContain("remember me");
  expect(synthesis.log.of("session.reset")).toHaveLength(1);
  const next = await ask(synthesis, { ...inSession, say: "and now?" });
  expect(next.headers.has("x-synthesis-session-reset")).toBe(false);
});

test("an account at its limit: the turn is told until when, later ones are refused before they are run, others go on", async () => {
  await using running = await WithClaude.start({ limits: { queueMs: 5_000 } });
  const { api, synthesis } = running;
  api.script(() => reply.status(429, { retryAfterSeconds: 3_600 }));
  const burnt = await ask(synthesis, { ...inSession, say: "hi" });
  expect(burnt).toMatchObject({ status: 429, error: { code: "upstream_rate_limit" } });
  const asked = api.conversations.length;
  const held = await ask(synthesis, { model: "claude-beta", session: "two", say: "hi" });
  expect(held).toMatchObject({ status: 429, error: { code: "upstream_rate_limit" } });
  expect(Number(held.headers.get("retry-after"))).toBeGreaterThan(5);
  expect(held.error?.message).toMatch(/\d{4}-\d{2}-\d{2}T/);
  expect(api.conversations).toHaveLength(asked);
  expect((await ask(synthesis, { model: "echo", say: "hi" })).content).toBe("You said: hi");
});
