import { expectClean, reply } from "@synthesis/testkit";
import OpenAI from "openai";
import { zodFunction, zodResponseFormat } from "openai/helpers/zod";
import { expect, test } from "vitest";
import * as z from "zod";
import { clientTool, offeredTools, toolResults } from "./support/called-tools.ts";
import { WithClaude } from "./support/real-claude.ts";

expectClean();

function clientOf(
  { synthesis: { endpoint, key } }: WithClaude,
  options: { maxRetries?: number } = {},
): OpenAI {
  return new OpenAI({ baseURL: `${endpoint}/v1`, apiKey: key, ...options });
}

const Numbers = z.object({ a: z.number(), b: z.number() });
const ran: string[] = [];
const tools = [
  zodFunction({
    name: "add",
    description: "the sum",
    parameters: Numbers,
    function: ({ a, b }) => {
      ran.push(`add ${a} ${b}`);
      return String(a + b);
    },
  }),
  zodFunction({
    name: "multiply",
    description: "the product",
    parameters: Numbers,
    function: ({ a, b }) => {
      ran.push(`multiply ${a} ${b}`);
      return String(a * b);
    },
  }),
];
const bothCalls = [
  { name: clientTool("add"), input: { a: 1, b: 2 } },
  { name: clientTool("multiply"), input: { a: 3, b: 4 } },
];

test.for<[title: string, headers: Record<string, string>]>([
  ["by its key", { "x-openclaw-session-key": "one" }],
  ["by its transcript alone", {}],
])("runTools: two calls at once, their results, and a follow-up, %s, on one process", async ([, headers]) => {
  ran.length = 0;
  await using running = await WithClaude.start();
  const { api, synthesis } = running;
  const client = clientOf(running);
  api.next(reply.toolUse(bothCalls, { text: "Let me see." }), reply.text("3 and 12"), reply.text("thanks"));
  const runner = client.chat.completions.runTools(
    { model: "claude", messages: [{ role: "user", content: "1+2 and 3*4?" }], tools },
    { headers },
  );
  expect(await runner.finalContent()).toBe("3 and 12");
  expect(ran).toEqual(["add 1 2", "multiply 3 4"]);
  expect(runner.allChatCompletions().map(({ choices }) => choices[0]?.finish_reason)).toEqual([
    "tool_calls",
    "stop",
  ]);
  const [first, second] = api.conversations;
  expect(offeredTools(first!)).toEqual(["add", "multiply"]);
  expect(toolResults(second!)).toEqual(["3", "12"]);
  const [{ pid } = { pid: 0 }] = synthesis.agents("alpha");

  const next = await client.chat.completions.create(
    {
      model: "claude",
      messages: [...runner.messages, { role: "user", content: "thank you" }],
      tools: toolsOf(),
    },
    { headers },
  );
  expect(next.choices[0]?.message.content).toBe("thanks");
  expect(api.conversations).toHaveLength(3);
  expect(api.conversations[2]?.history.map(({ text }) => text)).toEqual([
    "1+2 and 3*4?",
    "Let me see.",
    "3 and 12",
    "thank you",
  ]);
  expect(synthesis.agents("alpha").map((agent) => agent.pid)).toEqual([pid]);
});

/** The functions as the wire has them. */
function toolsOf(): OpenAI.ChatCompletionTool[] {
  return tools.map(({ type, function: { name, description, parameters } }) => ({
    type,
    function: { name, ...(description && { description }), ...(parameters && { parameters }) },
  }));
}

test("runTools with a stream has the calls' arguments as they come, and each call whole at the end", async () => {
  ran.length = 0;
  await using running = await WithClaude.start();
  const { api } = running;
  api.next(reply.toolUse(bothCalls), reply.text("3 and 12"));
  const runner = clientOf(running).chat.completions.runTools({
    model: "claude",
    stream: true,
    messages: [{ role: "user", content: "1+2 and 3*4?" }],
    tools,
  });
  const calls: string[] = [];
  runner.on("functionToolCall", ({ name, arguments: json }) => calls.push(`${name} ${json}`));
  expect(await runner.finalContent()).toBe("3 and 12");
  expect(calls.map((call) => call.replaceAll(" ", ""))).toEqual([
    'add{"a":1,"b":2}',
    'multiply{"a":3,"b":4}',
  ]);
  expect(ran).toEqual(["add 1 2", "multiply 3 4"]);
});

test("a call that is required and not made is an error, one that is named is made", async () => {
  await using running = await WithClaude.start();
  const { api } = running;
  const client = clientOf(running, { maxRetries: 0 });
  const body = { model: "claude", messages: [{ role: "user", content: "1+2?" }], tools: toolsOf() } as const;
  api.script(() => reply.text("I know it by heart"));
  const unmet = client.chat.completions.create({
    ...body,
    messages: [...body.messages],
    tool_choice: "required",
  });
  await expect(unmet).rejects.toMatchObject({ status: 502, code: "tool_choice_unmet" });
  api.next(reply.toolUse(bothCalls[0]!));
  const named = await client.chat.completions.create({
    ...body,
    messages: [...body.messages],
    tool_choice: { type: "function", function: { name: "add" } },
  });
  expect(named.choices[0]?.message.tool_calls?.[0]).toMatchObject({ function: { name: "add" } });
});

test("parse gives an object of a zod schema, with a stream and without", async () => {
  await using running = await WithClaude.start();
  const { api } = running;
  const client = clientOf(running);
  const City = z.object({ name: z.string(), people: z.number() });
  const body = {
    model: "claude",
    messages: [{ role: "user" as const, content: "The capital of France?" }],
    response_format: zodResponseFormat(City, "city"),
  };
  const paris = { name: "Paris", people: 2_100_000 };
  api.script(() => reply.toolUse({ name: "StructuredOutput", input: paris }));
  const { choices } = await client.chat.completions.parse(body);
  expect(choices[0]).toMatchObject({ finish_reason: "stop", message: { parsed: paris } });
  const streamed = await client.chat.completions.stream(body).finalChatCompletion();
  expect(streamed.choices[0]?.message.parsed).toEqual(paris);

  api.script(() => reply.text("Paris, of course"));
  const unmet = clientOf(running, { maxRetries: 0 }).chat.completions.parse(body);
  await expect(unmet).rejects.toMatchObject({ status: 502, code: "answer_format_unmet" });
});

test("a request whose connection breaks is retried by the SDK and joins its turn: Claude is asked once", async () => {
  await using running = await WithClaude.start();
  const { api, synthesis } = running;
  const gate = reply.gated();
  api.next(gate.reply);
  const attempts: string[] = [];
  const first = new AbortController();
  const client = new OpenAI({
    baseURL: `${synthesis.endpoint}/v1`,
    apiKey: synthesis.key,
    fetch: async (url, init) => {
      attempts.push(new Headers(init?.headers).get("x-stainless-retry-count") ?? "");
      if (attempts.length > 1) return fetch(url, init);
      const { signal } = first;
      return fetch(url, { ...init, signal }).catch(() => {
        throw new TypeError("fetch failed");
      });
    },
  });
  const answer = client.chat.completions.create({
    model: "claude",
    messages: [{ role: "user", content: "hello" }],
  });
  await gate.opened;
  first.abort();
  gate.push("hello to you");
  gate.end();
  expect((await answer).choices[0]?.message.content).toBe("hello to you");
  expect(attempts).toEqual(["0", "1"]);
  expect(api.conversations).toHaveLength(1);
});
