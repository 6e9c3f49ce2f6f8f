import Anthropic, { AuthenticationError, NotFoundError, RateLimitError } from "@anthropic-ai/sdk";
import { expectClean, reply, type MessagesStandIn } from "@synthesis/testkit";
import { expect, test } from "vitest";
import { WithClaude } from "./support/real-claude.ts";
import type { Synthesis } from "./support/synthesis.ts";

expectClean();

function clientOf({ endpoint, key }: Synthesis, apiKey = key): Anthropic {
  return new Anthropic({ baseURL: endpoint, apiKey, maxRetries: 0 });
}

const shared = { model: "claude", max_tokens: 1024 };
const user = (content: Anthropic.MessageParam["content"]) => ({ role: "user", content }) as const;
const add: Anthropic.Tool = {
  name: "add",
  description: "adds two numbers",
  input_schema: { type: "object", properties: { a: { type: "number" }, b: { type: "number" } } },
};

/** What the last request to the API holds of the conversation. */
function lastHistory(api: MessagesStandIn): string[] {
  return api.conversations.at(-1)?.history.map(({ text }) => text) ?? [];
}

test("messages are answered whole and streamed, and the history is the conversation", async () => {
  await using running = await WithClaude.start();
  const { api, synthesis } = running;
  const { messages } = clientOf(synthesis);
  const first = await messages.create({ ...shared, system: "be brief", messages: [user("one")] });
  expect(first).toMatchObject({
    role: "assistant",
    content: [{ type: "text", text: "standin says: one" }],
    stop_reason: "end_turn",
  });
  expect(first.usage.output_tokens).toBeGreaterThan(0);
  expect(JSON.stringify(api.conversations.at(-1)?.body.system)).toContain("be brief");

  api.next(reply.text("two it is", { thinking: "let me think" }));
  const said = [user("one"), { role: "assistant", content: first.content } as const, user("two")];
  const stream = messages.stream({
    ...shared,
    system: "be brief",
    messages: said,
    thinking: { type: "adaptive" },
  });
  let text = "";
  stream.on("text", (delta) => (text += delta));
  const final = await stream.finalMessage();
  expect(text).toBe("two it is");
  expect(final.content.map(({ type }) => type)).toEqual(["thinking", "text"]);
  expect(lastHistory(api)).toEqual(["one", "standin says: one", "two"]);
  expect(synthesis.agents("alpha")).toHaveLength(1);

  // The answer comes back with its thinking, as the SDK had it.
  await messages.create({
    ...shared,
    system: "be brief",
    messages: [...said, { role: "assistant", content: final.content }, user("three")],
  });
  expect(lastHistory(api)).toEqual(["one", "standin says: one", "two", "two it is", "three"]);
  expect(synthesis.agents("alpha")).toHaveLength(1);
});

test("the client's tools are used, and their results go on in the same process", async () => {
  await using running = await WithClaude.start();
  const { api, synthesis } = running;
  const { messages } = clientOf(synthesis);
  const input = { a: 1, b: 2 };
  api.next(reply.toolUse({ id: "toolu_1", name: "mcp__synthesis_client__add", input }, { text: "I add" }));
  const asked = await messages.create({ ...shared, tools: [add], messages: [user("add")] });
  expect(asked).toMatchObject({
    content: [
      { type: "text", text: "I add" },
      { type: "tool_use", name: "add", input },
    ],
    stop_reason: "tool_use",
  });
  const call = asked.content.find(({ type }) => type === "tool_use") as Anthropic.ToolUseBlock;
  api.next(reply.text("3"));
  const told = await messages.create({
    ...shared,
    tools: [add],
    messages: [
      user("add"),
      { role: "assistant", content: asked.content },
      user([{ type: "tool_result", tool_use_id: call.id, content: "3" }]),
    ],
  });
  expect(told.content).toMatchObject([{ type: "text", text: "3" }]);
  expect(JSON.stringify(api.conversations.at(-1)?.body.messages)).toContain('"tool_use_id":"toolu_1"');
  expect(synthesis.agents("alpha")).toHaveLength(1);
});

test("errors come as the SDK's typed errors", async () => {
  await using running = await WithClaude.start();
  const { api, synthesis } = running;
  const failure = async (body: Partial<Anthropic.MessageCreateParamsNonStreaming>, key?: string) =>
    clientOf(synthesis, key)
      .messages.create({ ...shared, messages: [user("hi")], ...body })
      .catch((error: unknown) => error);
  const stranger = await failure({}, "sk-synthesis-not-this-one");
  expect(stranger).toBeInstanceOf(AuthenticationError);
  expect(stranger).toMatchObject({ type: "authentication_error", errorCode: "invalid_api_key" });
  const unknown = await failure({ model: "claude-opus-5" });
  expect(unknown).toBeInstanceOf(NotFoundError);
  expect(unknown).toMatchObject({ type: "not_found_error", errorCode: "model_not_found" });
  api.script(() => reply.status(429, { headers: { "x-should-retry": "false" } }));
  const limited = await failure({});
  expect(limited).toBeInstanceOf(RateLimitError);
  expect(limited).toMatchObject({ type: "rate_limit_error", errorCode: "upstream_rate_limit" });
});
