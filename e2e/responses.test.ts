import { eventually, expectClean, reply, type MessagesStandIn } from "@synthesis/testkit";
import OpenAI, { NotFoundError } from "openai";
import { zodTextFormat } from "openai/helpers/zod";
import type { Response, ResponseInput, ResponseStreamEvent } from "openai/resources/responses/responses";
import { expect, test } from "vitest";
import * as z from "zod";
import { WithClaude } from "./support/real-claude.ts";
import type { Synthesis } from "./support/synthesis.ts";

expectClean();

function clientOf({ endpoint, key }: Synthesis): OpenAI {
  return new OpenAI({ baseURL: `${endpoint}/v1`, apiKey: key, maxRetries: 0 });
}

const add: OpenAI.Responses.FunctionTool = {
  type: "function",
  name: "add",
  description: "adds two numbers",
  parameters: { type: "object", properties: { a: { type: "number" }, b: { type: "number" } } },
  strict: false,
};
const callAdd = (id: string, a: number, b: number) => ({
  id,
  name: "mcp__synthesis_client__add",
  input: { a, b },
});
const callsOf = ({ output }: Pick<Response, "output">) =>
  output.filter((item) => item.type === "function_call");

/** What the last request to the API holds of the conversation. */
function lastHistory(api: MessagesStandIn): string[] {
  return api.conversations.at(-1)?.history.map(({ text }) => text) ?? [];
}

test("a response goes on from an earlier one, and from the same one again on a branch of its own", async () => {
  await using running = await WithClaude.start();
  const { api, synthesis } = running;
  const { responses } = clientOf(synthesis);
  const first = await responses.create({ model: "claude", instructions: "be brief", input: "one" });
  expect(first).toMatchObject({ status: "completed", output_text: "standin says: one" });
  expect(first.usage?.total_tokens).toBeGreaterThan(0);
  expect(JSON.stringify(api.conversations.at(-1)?.body.system)).toContain("be brief");

  const goOn = async (input: string) => {
    const stream = responses.stream({ model: "claude", input, previous_response_id: first.id });
    return stream.finalResponse();
  };
  expect((await goOn("two")).output_text).toBe("standin says: two");
  expect(lastHistory(api)).toEqual(["one", "standin says: one", "two"]);
  await goOn("another");
  expect(lastHistory(api)).toEqual(["one", "standin says: one", "another"]);

  const unknown = { model: "claude", input: "hi", previous_response_id: `resp_${"0".repeat(32)}` };
  await expect(responses.create(unknown)).rejects.toBeInstanceOf(NotFoundError);
});

test("the client's function is called and its output goes on in the same process, by id and by whole input", async () => {
  await using running = await WithClaude.start();
  const { api, synthesis } = running;
  const { responses } = clientOf(synthesis);
  const shared = { model: "claude", tools: [add] };
  api.next(reply.toolUse([callAdd("toolu_1", 1, 2), callAdd("toolu_2", 3, 4)], { text: "I add" }));
  const asked = await responses.create({ ...shared, input: "add them" });
  const calls = callsOf(asked);
  expect(calls.map((call) => JSON.parse(call.arguments))).toEqual([
    { a: 1, b: 2 },
    { a: 3, b: 4 },
  ]);
  const [claude] = synthesis.agents("alpha");
  api.next(reply.text("3 and 7"));
  const outputs = calls.map(({ call_id }, index) => ({
    type: "function_call_output" as const,
    call_id,
    output: index === 0 ? "3" : "7",
  }));
  const told = await responses.create({ ...shared, input: outputs, previous_response_id: asked.id });
  expect(told.output_text).toBe("3 and 7");
  const results = JSON.stringify(api.conversations.at(-1)?.body.messages);
  expect(results).toContain('"tool_use_id":"toolu_1","content":');

  // As a client does that keeps the conversation itself.
  const input: ResponseInput = [{ role: "user", content: "once more" }];
  api.next(reply.toolUse(callAdd("toolu_3", 5, 6)));
  const stream = responses.stream({ ...shared, input, store: false });
  let streamed = "";
  stream.on("response.function_call_arguments.delta", ({ delta }) => (streamed += delta));
  const { output }: Response = await stream.finalResponse();
  expect(JSON.parse(streamed)).toEqual({ a: 5, b: 6 });
  const [call] = callsOf({ output });
  input.push(...(output as ResponseInput), {
    type: "function_call_output",
    call_id: call!.call_id,
    output: "11",
  });
  api.next(reply.text("11"));
  expect((await responses.create({ ...shared, input, store: false })).output_text).toBe("11");
  expect(lastHistory(api)).toEqual(["once more"]);
  expect(synthesis.agents("alpha")).toHaveLength(2);
  expect(synthesis.agents("alpha").map(({ pid }) => pid)).toContain(claude?.pid);
});

test("an answer is parsed by its schema", async () => {
  await using running = await WithClaude.start();
  const { api, synthesis } = running;
  const format = zodTextFormat(z.object({ name: z.string(), age: z.number() }), "person");
  api.next(reply.toolUse({ name: "StructuredOutput", input: { name: "Ada", age: 36 } }));
  const { output_parsed } = await clientOf(synthesis).responses.parse({
    model: "claude",
    input: "who?",
    text: { format },
  });
  expect(output_parsed).toEqual({ name: "Ada", age: 36 });
});

test("a response in the background goes on without its client, is read again from any event, and is cancelled", async () => {
  await using running = await WithClaude.start();
  const { api, synthesis } = running;
  const { responses } = clientOf(synthesis);
  const held = reply.gated();
  api.next(held.reply);
  const { id, status } = await responses.create({ model: "claude", input: "slow", background: true });
  expect(status).toBe("in_progress");
  const events: ResponseStreamEvent[] = [];
  const reading = (async () => {
    for await (const event of await responses.retrieve(id, { stream: true })) events.push(event);
  })();
  held.push("a ");
  await eventually(() => expect(events.at(-1)?.type).toBe("response.output_text.delta"));
  held.push("b");
  held.end();
  await reading;
  expect(events.at(-1)).toMatchObject({
    type: "response.completed",
    response: { output: [{ content: [{ text: "a b" }] }] },
  });
  const again: ResponseStreamEvent[] = [];
  for await (const event of await responses.retrieve(id, { stream: true, starting_after: 2 }))
    again.push(event);
  expect(again.map(({ sequence_number }) => sequence_number)).toEqual(
    events.slice(3).map(({ sequence_number }) => sequence_number),
  );
  expect(await responses.retrieve(id)).toMatchObject({ status: "completed", output_text: "a b" });

  const never = reply.gated();
  api.next(never.reply);
  const cut = await responses.create({ model: "claude", input: "never", background: true });
  await api.nextRequest();
  expect(await responses.cancel(cut.id)).toMatchObject({ id: cut.id, status: "cancelled" });
  await synthesis.healthy({ turns: 0 });
  expect(await responses.retrieve(cut.id)).toMatchObject({ status: "cancelled" });
});
