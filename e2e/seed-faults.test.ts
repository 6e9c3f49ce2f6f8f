import { expectClean, fixtures } from "@synthesis/testkit";
import { expect, test } from "vitest";
import { openStream, streamed } from "./support/answer-stream.ts";
import { ask } from "./support/chat.ts";
import { postRaw } from "./support/raw-http.ts";
import { Synthesis } from "./support/synthesis.ts";

expectClean();

const inSession = { model: "seed", session: "main::chat" } as const;

test("seed fault 1: an answer comes, although the request is over as soon as its body is read", async () => {
  await using synthesis = await Synthesis.start();
  expect(await ask(synthesis, { ...inSession, say: "hello" })).toMatchObject({ content: "seed: hello" });
  const stream = await streamed(synthesis, { ...inSession, say: "!late" });
  expect(stream).toMatchObject({ content: "seed: late", isDone: true });
});

test("seed fault 2: a turn whose connection is replaced is settled, and the session's queue moves on", async () => {
  await using synthesis = await Synthesis.start({ limits: { reconnectMs: 300 } });
  expect(await ask(synthesis, { ...inSession, say: "!twice" })).toMatchObject({ content: "seed: second" });
  const lost = ask(synthesis, { ...inSession, say: "!replace-silent" });
  const next = ask(synthesis, { ...inSession, say: "next" });
  expect(await lost).toMatchObject({ status: 502, error: { code: "turn_interrupted" } });
  expect(await next).toMatchObject({ content: "seed: next" });
});

test("seed fault 3: a client that leaves stops the agent and frees the queue at once", async () => {
  // No deadline frees it within the test's time.
  await using synthesis = await Synthesis.start({ limits: { vanishedMs: 60_000, interruptMs: 60_000 } });
  const stream = await openStream(synthesis, { ...inSession, say: "!hold" });
  await synthesis.healthy({ turns: 1, processes: 1, conns: 1 });
  const [held] = synthesis.agents("alpha");
  const next = ask(synthesis, { ...inSession, say: "next" });
  await synthesis.healthy({ waiting: 1 });
  stream.leave();
  expect(await next).toMatchObject({ content: "seed: next" });
  expect(synthesis.agents("alpha").map(({ pid }) => pid)).not.toContain(held?.pid);
});

test("seed fault 4: a hung agent ends by a deadline, of its start, its silence or its turn", async () => {
  const silent = { workspace: "beta", driver: "command", command: ["{node}", fixtures.neverHello] };
  await using synthesis = await Synthesis.start({
    agents: { silent },
    limits: { startMs: 2500, stallMs: 1000, queueMs: 300, turnMs: 4000 },
  });
  const started = ask(synthesis, { model: "silent", session: "s", say: "hi" });
  const stalled = ask(synthesis, { ...inSession, say: "!hold" });
  await synthesis.healthy({ turns: 2 });
  const waited = await ask(synthesis, { ...inSession, say: "in the queue" });
  expect(waited).toMatchObject({ status: 503, error: { code: "queue_timeout" } });
  expect(waited.headers.has("retry-after")).toBe(true);
  expect(await stalled).toMatchObject({ status: 504, error: { code: "stall_timeout" } });
  expect(await ask(synthesis, { ...inSession, say: "next" })).toMatchObject({ content: "seed: next" });
  expect(await started).toMatchObject({ status: 504, error: { code: "start_timeout" } });
});

test("seed fault 5: a session's queue is bounded, and nothing of it is left when it is empty", async () => {
  await using synthesis = await Synthesis.start({ limits: { sessionQueue: 2 } });
  const turns = [await openStream(synthesis, { ...inSession, say: "!hold" })];
  await synthesis.healthy({ turns: 1 });
  for (const say of ["one", "two"]) turns.push(await openStream(synthesis, { ...inSession, say }));
  const refused = await ask(synthesis, { ...inSession, say: "three" });
  expect(refused).toMatchObject({ status: 429, error: { code: "queue_full" } });
  expect(Number(refused.headers.get("retry-after"))).toBeGreaterThan(0);
  expect((await ask(synthesis, { model: "seed", session: "other", say: "hi" })).content).toBe("seed: hi");
  turns[0]?.leave();
  await turns[1]?.end();
  await turns[2]?.end();
  expect(turns.map(({ content }) => content)).toEqual(["", "seed: one", "seed: two"]);
  await synthesis.healthy({ turns: 0, waiting: 0 });
});

test("seed fault 6: a character that is cut between two chunks stays whole, and a huge body is refused", async () => {
  await using synthesis = await Synthesis.start({ limits: { bodyBytes: 4096 } });
  const text = "Grüße, 世界 🌍";
  const body = Buffer.from(JSON.stringify({ model: "seed", messages: [{ role: "user", content: text }] }));
  const bytes = [...body].map((byte) => Buffer.of(byte));
  const answer = await postRaw(synthesis, bytes);
  expect(answer.body.choices?.[0]?.message.content).toBe(`seed: ${text}`);
  const chunked = await postRaw(
    synthesis,
    Array.from({ length: 8 }, () => "x".repeat(1000)),
  );
  expect(chunked).toMatchObject({ status: 413, body: { error: { code: "body_too_large" } } });
});

test("seed fault 7: parts are streamed as they come, and there are non-streamed answers and a model list", async () => {
  await using synthesis = await Synthesis.start();
  const stream = await streamed(synthesis, { ...inSession, say: "!parts" });
  expect(stream.parts).toEqual(["seed: one", " two", " three"]);
  expect(await ask(synthesis, { ...inSession, say: "!parts" })).toMatchObject({
    content: "seed: one two three",
  });
  const headers = { authorization: `Bearer ${synthesis.key}` };
  const models = await fetch(`${synthesis.endpoint}/v1/models`, { headers });
  expect(await models.json()).toMatchObject({
    object: "list",
    data: [{ id: "claude" }, { id: "claude-beta" }, { id: "echo" }, { id: "seed" }, { id: "seed-beta" }],
  });
});

test("seed fault 8: a failure is an error, never assistant text and never a clean end", async () => {
  await using synthesis = await Synthesis.start();
  expect(await ask(synthesis, { ...inSession, say: "!exit" })).toMatchObject({
    status: 502,
    content: undefined,
    error: { code: "turn_interrupted" },
  });
  const stream = await streamed(synthesis, { ...inSession, say: "!exit" });
  expect(stream).toMatchObject({
    content: "",
    finishReason: undefined,
    isDone: false,
    error: { code: "turn_interrupted" },
  });
});

test("seed fault 10: a plugin that names another session than its token's is closed with 4003", async () => {
  await using synthesis = await Synthesis.start();
  const answer = await ask(synthesis, { ...inSession, say: "!fake-session" });
  expect(answer.content).toBe("seed: 4003");
});

test("seed fault 11: a crash in one workspace drops no conversation of another", async () => {
  await using synthesis = await Synthesis.start();
  await ask(synthesis, { model: "seed-beta", session: "b", say: "warm up" });
  const [agent] = synthesis.agents("beta");
  const lost = await openStream(synthesis, { ...inSession, say: "!hold" });
  await synthesis.started(lost.headers.get("x-synthesis-turn"));
  const worker = synthesis.process("synthesis-worker alpha").pid;
  const kept = await openStream(synthesis, { model: "seed-beta", session: "b", say: "!late" });
  await synthesis.crash(worker);
  expect(await kept.end()).toMatchObject({ content: "seed: late", isDone: true });
  expect(await lost.end()).toMatchObject({ isDone: false, error: { code: "turn_interrupted" } });
  expect(await ask(synthesis, { ...inSession, say: "hi" })).toMatchObject({ content: "seed: hi" });
  expect(synthesis.agents("beta").map(({ pid }) => pid)).toEqual([agent?.pid]);
});
