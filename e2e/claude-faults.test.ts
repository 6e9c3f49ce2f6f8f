import { expectClean, reply } from "@synthesis/testkit";
import { expect, test } from "vitest";
import { openStream, streamed } from "./support/answer-stream.ts";
import { ask } from "./support/chat.ts";
import { WithClaude } from "./support/real-claude.ts";
import { Synthesis } from "./support/synthesis.ts";

expectClean();

const inSession = { model: "claude", session: "one" } as const;

test("a 401 of the API is answered at once: by its status, and in a stream by an error event", async () => {
  await using running = await WithClaude.start();
  const { api, synthesis } = running;
  api.script(() => reply.status(401));
  const startedAt = performance.now();
  const answer = await ask(synthesis, { ...inSession, say: "hi" });
  expect(answer).toMatchObject({
    status: 401,
    error: { code: "upstream_authentication", type: "authentication_error" },
  });
  expect(answer.headers.get("x-should-retry")).toBe("false");
  const stream = await streamed(synthesis, { ...inSession, say: "hi" });
  expect(stream).toMatchObject({
    status: 200,
    content: "",
    isDone: false,
    error: { code: "upstream_authentication" },
  });
  expect(performance.now() - startedAt).toBeLessThan(10_000);
  api.script(() => reply.text("now I hear you"));
  expect((await ask(synthesis, { ...inSession, say: "hi" })).content).toBe("now I hear you");
});

test("limits and faults of the API are answered by their status; short ones are not noticed", async () => {
  await using running = await WithClaude.start({}, { CLAUDE_CODE_MAX_RETRIES: "1" });
  const { api, synthesis } = running;
  api.next(reply.status(529), reply.text("up again"));
  expect((await ask(synthesis, { ...inSession, say: "hi" })).content).toBe("up again");

  api.script(() => reply.status(529));
  const overloaded = await ask(synthesis, { ...inSession, say: "hi" });
  expect(overloaded).toMatchObject({ status: 503, error: { code: "upstream_overloaded" } });
  expect(overloaded.headers.has("retry-after")).toBe(true);

  api.script(() => reply.promptTooLong());
  const long = await ask(synthesis, { model: "claude", session: "two", say: "a very long story" });
  expect(long).toMatchObject({ status: 400, error: { code: "context_length_exceeded" } });

  // A captive portal in the API's place.
  api.script(() => reply.html());
  const stream = await streamed(synthesis, { ...inSession, say: "hi" });
  expect(stream).toMatchObject({ content: "", isDone: false });
  expect(stream.error?.code).toMatch(/^upstream_/);

  api.script(() => reply.status(429, { retryAfterSeconds: 3600 }));
  const limited = await ask(synthesis, { ...inSession, say: "hi" });
  expect(limited).toMatchObject({ status: 429, error: { code: "upstream_rate_limit" } });
  expect(Number(limited.headers.get("retry-after"))).toBeGreaterThan(0);
});

test("an answer that is cut and comes again is shown once; another one in its place is an error event (W-4)", async () => {
  await using running = await WithClaude.start();
  const { api, synthesis } = running;
  const gate = reply.gated();
  api.next(gate.reply, reply.text("one two three"));
  const stream = await openStream(synthesis, { ...inSession, say: "count" });
  gate.push("one two");
  await stream.until("one two");
  gate.cut();
  await stream.end();
  expect(stream).toMatchObject({ content: "one two three", isDone: true, error: undefined });
  await ask(synthesis, { ...inSession, say: "again" });
  expect(api.conversations.at(-1)?.history.map(({ text }) => text)).toEqual([
    "count",
    "one two three",
    "again",
  ]);

  const other = reply.gated();
  api.next(other.reply, reply.text("something else"));
  const diverging = await openStream(synthesis, { ...inSession, say: "count" });
  other.push("one two");
  await diverging.until("one two");
  other.cut();
  await diverging.end();
  expect(diverging).toMatchObject({ content: "one two", isDone: false, error: { code: "answer_diverged" } });
  expect(await ask(synthesis, { ...inSession, say: "hi" })).toMatchObject({ content: "standin says: hi" });

  // An error event in the API's stream makes Claude ask again for the whole.
  api.next(reply.sseError(["one"]), reply.text("one two"));
  const whole = await streamed(synthesis, { ...inSession, say: "count" });
  expect(whole).toMatchObject({ content: "one two", isDone: true, error: undefined });
  expect(api.conversations.slice(-2).map(({ body }) => body.stream ?? false)).toEqual([true, false]);
});

test("an API that falls silent is given up after limits.stallMs or firstByteMs, and the session's next turn works", async () => {
  await using running = await WithClaude.start({ limits: { stallMs: 1500, firstByteMs: 2000 } });
  const { api, synthesis } = running;
  api.next(reply.stall(["one"]));
  const arrived = api.nextRequest();
  const stream = await openStream(synthesis, { ...inSession, say: "count" });
  const request = await arrived;
  await stream.end();
  expect(stream).toMatchObject({ content: "one", isDone: false, error: { code: "stall_timeout" } });
  await request.aborted;
  expect(await ask(synthesis, { ...inSession, say: "hi" })).toMatchObject({ content: "standin says: hi" });
  expect(synthesis.agents("alpha")).toHaveLength(1);

  api.next(reply.noHeaders());
  const whole = await ask(synthesis, { ...inSession, say: "count" });
  expect(whole).toMatchObject({ status: 504, error: { code: "first_byte_timeout" } });
});

test("a Claude that is killed within a turn gives an error event, and the session goes on with its memory", async () => {
  await using running = await WithClaude.start();
  const { api, synthesis } = running;
  await ask(synthesis, { ...inSession, say: "remember me" });
  const gate = reply.gated();
  api.next(gate.reply);
  const stream = await openStream(synthesis, { ...inSession, say: "second" });
  gate.push("half");
  await stream.until("half");
  await synthesis.crash(synthesis.agents("alpha")[0]!.pid);
  await stream.end();
  expect(stream).toMatchObject({ isDone: false, error: { code: "turn_interrupted" } });
  expect(await ask(synthesis, { ...inSession, say: "third" })).toMatchObject({ status: 200 });
  expect(api.conversations.at(-1)?.history[0]).toEqual({ role: "user", text: "remember me" });
});

test("a claude that is missing is named together with its setting, and the other agents work", async () => {
  await using synthesis = await Synthesis.start({ claude: { bin: "/nowhere/claude" } });
  const answer = await ask(synthesis, { ...inSession, say: "hi" });
  expect(answer).toMatchObject({ status: 503, error: { code: "agent_unavailable" } });
  expect(answer.error?.message).toMatch(/\/nowhere\/claude.*claude\.bin/);
  expect(await ask(synthesis, { model: "echo", say: "hi" })).toMatchObject({ content: "You said: hi" });
});
