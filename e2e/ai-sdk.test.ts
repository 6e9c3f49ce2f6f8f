import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { expectClean, reply } from "@synthesis/testkit";
import { generateObject, generateText, stepCountIs, streamText, tool, type LanguageModel } from "ai";
import { expect, test } from "vitest";
import * as z from "zod";
import { clientTool, toolResults } from "./support/called-tools.ts";
import { WithClaude } from "./support/real-claude.ts";

expectClean();

function claudeOf({ synthesis: { endpoint, key } }: WithClaude): LanguageModel {
  const provider = createOpenAICompatible({
    name: "synthesis",
    baseURL: `${endpoint}/v1`,
    apiKey: key,
    includeUsage: true,
    supportsStructuredOutputs: true,
  });
  return provider("claude");
}

test("streamText: the text in parts, thinking as reasoning, a finish reason and usage", async () => {
  await using running = await WithClaude.start();
  running.api.next(reply.text("two words", { thinking: "hm", usage: { inputTokens: 7, outputTokens: 3 } }));
  const result = streamText({ model: claudeOf(running), prompt: "hi" });
  const parts: string[] = [];
  for await (const part of result.textStream) parts.push(part);
  expect(parts.join("")).toBe("two words");
  expect(await result.reasoningText).toContain("hm");
  expect(await result.finishReason).toBe("stop");
  expect(await result.usage).toMatchObject({ outputTokens: 3 });
});

test("tools: two calls at once within one step, their results, and the answer", async () => {
  await using running = await WithClaude.start();
  const { api, synthesis } = running;
  api.next(
    reply.toolUse([
      { name: clientTool("weather"), input: { city: "Paris" } },
      { name: clientTool("weather"), input: { city: "Rome" } },
    ]),
    reply.text("rain and sun"),
  );
  const weather = tool({
    description: "the weather of a city",
    inputSchema: z.object({ city: z.string() }),
    execute: async ({ city }) => ({ sky: city === "Paris" ? "rain" : "sun" }),
  });
  const result = streamText({
    model: claudeOf(running),
    prompt: "Paris and Rome?",
    tools: { weather },
    stopWhen: stepCountIs(4),
  });
  expect(await result.text).toBe("rain and sun");
  expect(await result.steps).toHaveLength(2);
  expect(toolResults(api.conversations[1]!).map((json) => JSON.parse(json) as unknown)).toEqual([
    { sky: "rain" },
    { sky: "sun" },
  ]);
  expect(synthesis.agents("alpha")).toHaveLength(1);

  api.next(reply.toolUse({ name: clientTool("weather"), input: { city: "Rome" } }), reply.text("sun"));
  const whole = await generateText({
    model: claudeOf(running),
    prompt: "Rome?",
    tools: { weather },
    stopWhen: stepCountIs(4),
  });
  expect(whole.text).toBe("sun");
});

test("generateObject: an object of the schema", async () => {
  await using running = await WithClaude.start();
  const paris = { name: "Paris", people: 2_100_000 };
  running.api.script(() => reply.toolUse({ name: "StructuredOutput", input: paris }));
  const { object } = await generateObject({
    model: claudeOf(running),
    schema: z.object({ name: z.string(), people: z.number() }),
    prompt: "The capital of France?",
  });
  expect(object).toEqual(paris);
});

test("an error within a stream is an error of the SDK, and a conversation goes on by its messages alone", async () => {
  await using running = await WithClaude.start();
  const { api } = running;
  api.next(reply.sseError(["half"], 400, "no such thing"));
  const errors: unknown[] = [];
  const failed = streamText({
    model: claudeOf(running),
    prompt: "hi",
    maxRetries: 0,
    onError: ({ error }) => void errors.push(error),
  });
  await failed.consumeStream();
  expect(errors).toHaveLength(1);

  const first = await generateText({
    model: claudeOf(running),
    messages: [{ role: "user", content: "one" }],
  });
  const messages = [
    { role: "user" as const, content: "one" },
    ...first.response.messages,
    { role: "user" as const, content: "two" },
  ];
  await generateText({ model: claudeOf(running), messages });
  expect(api.conversations.at(-1)?.history.map(({ text }) => text)).toEqual([
    "one",
    "standin says: one",
    "two",
  ]);
});
