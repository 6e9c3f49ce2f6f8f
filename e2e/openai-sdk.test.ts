import { expectClean } from "@synthesis/testkit";
import OpenAI, {
  APIError,
  AuthenticationError,
  BadRequestError,
  NotFoundError,
  RateLimitError,
} from "openai";
import { expect, test } from "vitest";
import { startWithFakeClaude } from "./support/fake-claude.ts";
import type { Synthesis } from "./support/synthesis.ts";

expectClean();

function clientOf(
  { endpoint, key }: Synthesis,
  options: { apiKey?: string; maxRetries?: number } = {},
): OpenAI {
  return new OpenAI({ baseURL: `${endpoint}/v1`, apiKey: key, ...options });
}

/** A request body of one user message. */
function saying(content: string, model = "claude") {
  return { model, messages: [{ role: "user", content }] } satisfies OpenAI.ChatCompletionCreateParams;
}

/** A request's options for the conversation of that name. */
function session(name: string) {
  return { headers: { "x-openclaw-session-key": name } };
}

test("create and the stream helper answer with a message and usage, and the agents are listed as models", async () => {
  await using synthesis = await startWithFakeClaude();
  const client = clientOf(synthesis);
  const completion = await client.chat.completions.create(saying("hello"));
  expect(completion).toMatchObject({
    object: "chat.completion",
    model: "claude",
    choices: [{ finish_reason: "stop", message: { role: "assistant" } }],
    usage: { prompt_tokens: expect.any(Number), total_tokens: expect.any(Number) },
  });
  expect(completion.choices[0]?.message.content).toBe("fake: hello (turn 1 of this conversation)");

  let text = "";
  const reasons: unknown[] = [];
  const stream = await client.chat.completions.create({ ...saying("hello", "echo"), stream: true });
  for await (const { choices } of stream) {
    text += choices[0]?.delta.content ?? "";
    reasons.push(choices[0]?.finish_reason);
  }
  expect(text).toBe("You said: hello");
  expect(reasons.filter((reason) => reason !== null)).toEqual(["stop"]);
  const { data } = await client.models.list();
  expect(data.map(({ id }) => id)).toEqual(["claude", "claude-beta", "echo", "seed", "seed-beta"]);

  const deltas: string[] = [];
  const helper = client.chat.completions
    .stream({ ...saying("one two"), stream_options: { include_usage: true } })
    .on("content.delta", ({ delta }) => deltas.push(delta));
  const final = await helper.finalChatCompletion();
  const content = "fake: one two (turn 1 of this conversation)";
  expect(final.choices[0]).toMatchObject({ finish_reason: "stop", message: { content } });
  expect(final.usage?.completion_tokens).toBeGreaterThan(0);
  expect(deltas.join("")).toBe(content);
});

test("an aborted stream stops its turn, and the conversation goes on", async () => {
  await using synthesis = await startWithFakeClaude();
  const client = clientOf(synthesis);
  const stream = await client.chat.completions.create(
    { ...saying("!slow 10000 5"), stream: true },
    session("one"),
  );
  for await (const { choices } of stream) if (choices[0]?.delta.content) break;
  await synthesis.log.line("turn.ended", { process: "worker", state: "cancelled" });
  const next = await client.chat.completions.create(saying("still there?"), session("one"));
  expect(next.choices[0]?.message.content).toContain("still there? (turn 2 of this conversation)");
});

test("two conversations of one client run at once and are not mixed up", async () => {
  await using synthesis = await startWithFakeClaude();
  const client = clientOf(synthesis);
  const slow = client.chat.completions.stream(saying("!slow 10000 5"), session("slow"));
  const begun = Promise.withResolvers<void>();
  slow.on("content", () => begun.resolve());
  await begun.promise;
  const quick = await client.chat.completions.create(saying("quick"), session("quick"));
  expect(quick.choices[0]?.message.content).toBe("fake: quick (turn 1 of this conversation)");
  expect(slow.ended).toBe(false);
  await synthesis.healthy({ processes: 2, turns: 1 });
  slow.abort();
  await expect(slow.done()).rejects.toThrow("aborted");
  await synthesis.healthy({ turns: 0 });
});

test("errors come as the SDK's typed errors, with code and message", async () => {
  await using synthesis = await startWithFakeClaude({ limits: { sessionQueue: 1 } });
  const client = clientOf(synthesis, { maxRetries: 0 });
  const failure = async (turn: Promise<unknown>): Promise<unknown> => turn.catch((error: unknown) => error);
  const create = (body: OpenAI.ChatCompletionCreateParams, from = client) =>
    failure(from.chat.completions.create(body));

  const stranger = await create(saying("hi"), clientOf(synthesis, { apiKey: "sk-synthesis-not-this-one" }));
  expect(stranger).toBeInstanceOf(AuthenticationError);
  expect(stranger).toMatchObject({ status: 401, code: "invalid_api_key" });
  const unknown = await create(saying("hi", "gpt-4o"));
  expect(unknown).toBeInstanceOf(NotFoundError);
  expect(unknown).toMatchObject({
    code: "model_not_found",
    message: expect.stringContaining("claude, claude-beta"),
  });
  const silent = await create({ model: "claude", messages: [{ role: "system", content: "be brief" }] });
  expect(silent).toBeInstanceOf(BadRequestError);

  const running = client.chat.completions.stream(saying("!silent"), session("one"));
  await synthesis.healthy({ turns: 1 });
  const waiting = client.chat.completions.stream(saying("!silent"), session("one"));
  await synthesis.healthy({ turns: 1, waiting: 1 });
  const refused = await failure(client.chat.completions.create(saying("hi"), session("one")));
  expect(refused).toBeInstanceOf(RateLimitError);
  expect(refused).toMatchObject({ code: "queue_full" });
  for (const turn of [waiting, running]) turn.abort();
  await Promise.allSettled([running.done(), waiting.done()]);
  await synthesis.healthy({ turns: 0, waiting: 0 });

  const limited = await create(saying("!error 429"));
  expect(limited).toBeInstanceOf(RateLimitError);
  expect(limited).toMatchObject({ code: "upstream_rate_limit" });
});

test("a turn that fails throws, within a stream too, and is not repeated: it may have had effects", async () => {
  await using synthesis = await startWithFakeClaude();
  const client = clientOf(synthesis, { maxRetries: 3 });
  let text = "";
  const read = async () => {
    const stream = await client.chat.completions.create({ ...saying("!crash-mid"), stream: true });
    for await (const { choices } of stream) text += choices[0]?.delta.content ?? "";
  };
  await expect(read()).rejects.toMatchObject({ code: "turn_interrupted" });
  expect(text).toBe("cut short");

  const failed = await client.chat.completions.create(saying("!crash-mid")).catch((error: unknown) => error);
  expect(failed).toBeInstanceOf(APIError);
  expect(failed).toMatchObject({ status: 502, code: "turn_interrupted" });
  expect((failed as APIError).headers?.get("x-should-retry")).toBe("false");
  await synthesis.log.line("turn.ended", { process: "gateway" }, 2);
  expect(synthesis.log.of("turn.ended").filter(({ process }) => process === "worker")).toHaveLength(2);
});
