import { expectClean } from "@synthesis/testkit";
import type { TurnEnd, WorkerFrame } from "@synthesis/protocol";
import {
  APIError,
  AuthenticationError,
  BadRequestError,
  NotFoundError,
  type Anthropic,
} from "@anthropic-ai/sdk";
import { afterEach, beforeEach, expect, test } from "vitest";
import { deltas, ended } from "../support/fake-worker.ts";
import { anthropicOf } from "../support/sdk-clients.ts";
import { key, RunningGateway } from "../support/running-gateway.ts";

expectClean();

let gateway: RunningGateway;
let client: Anthropic;
beforeEach(async () => {
  gateway = await RunningGateway.start();
  client = anthropicOf(gateway);
});
afterEach(async () => gateway.close());

const usage = { inputTokens: 10, cachedInputTokens: 4, outputTokens: 3 };
const called: TurnEnd = { state: "completed", finishReason: "tool_calls", usage, costUsd: 0.5 };
const hi = {
  model: "echo",
  max_tokens: 10,
  messages: [{ role: "user", content: "hi" }],
} satisfies Anthropic.MessageCreateParams;
const input_schema = { type: "object", properties: {} } as const;
const tools = [{ name: "add", input_schema }];
const thinking = { type: "adaptive" } as const;

function answerFrames(turn: string): WorkerFrame[] {
  const call = { index: 0, id: "toolu1", name: "add", arguments: "" };
  return [
    { type: "accepted", turn },
    ...deltas(turn, 1, "let me "),
    { type: "reasoning", turn, seq: 2, text: "hm" },
    ...deltas(turn, 3, "see"),
    { type: "tool_called", turn, seq: 4, call },
    { type: "tool_called", turn, seq: 5, call: { index: 0, arguments: '{"a":' } },
    { type: "tool_called", turn, seq: 6, call: { index: 0, arguments: "1}" } },
    { type: "tool_called", turn, seq: 7, call: { index: 1, id: "toolu2", name: "now", arguments: "{}" } },
    ended(turn, 8, called),
  ];
}

const toolUses = [
  { type: "tool_use", id: "toolu1", name: "add", input: { a: 1 } },
  { type: "tool_use", id: "toolu2", name: "now", input: {} },
];

test("create answers with a message: text, tool use, stop reason and usage", async () => {
  const answer = client.messages
    .create({ ...hi, system: "be brief", tools, tool_choice: { type: "auto" } })
    .withResponse();
  const submit = await gateway.worker.next("submit");
  expect(submit).toMatchObject({ prompt: "hi", instructions: "be brief", tools: [{ name: "add" }] });
  gateway.worker.send(...answerFrames(submit.turn));
  const { data, response, request_id } = await answer;
  expect(data).toMatchObject({
    id: `msg_${submit.turn.replaceAll("-", "")}`,
    type: "message",
    role: "assistant",
    model: "echo",
    content: [{ type: "text", text: "let me see" }, ...toolUses],
    stop_reason: "tool_use",
    usage: { input_tokens: 6, cache_read_input_tokens: 4, output_tokens: 3 },
  });
  expect(response.headers.get("x-synthesis-ignored")).toBe("max_tokens");
  expect(response.headers.get("x-synthesis-cost-usd")).toBe("0.5");
  expect(request_id).toBe(response.headers.get("x-request-id"));
});

test("a stream has the API's events in their order, and the SDK's helper makes the message of it", async () => {
  const stream = client.messages.stream({ ...hi, thinking });
  const types: string[] = [];
  stream.on("streamEvent", ({ type }) => types.push(type));
  const { turn } = await gateway.worker.next("submit");
  gateway.worker.send(...answerFrames(turn));
  const message = await stream.finalMessage();
  expect(message).toMatchObject({
    content: [
      { type: "text", text: "let me " },
      { type: "thinking", thinking: "hm" },
      { type: "text", text: "see" },
      ...toolUses,
    ],
    stop_reason: "tool_use",
    usage: { input_tokens: 6, cache_read_input_tokens: 4, output_tokens: 3 },
  });
  const block = (pieces: number) => [
    "content_block_start",
    ...Array<string>(pieces).fill("content_block_delta"),
    "content_block_stop",
  ];
  expect(types).toEqual([
    "message_start",
    ...[1, 1, 1, 2, 1].flatMap(block),
    "message_delta",
    "message_stop",
  ]);
});

test("thinking is told only where it is asked for", async () => {
  const stream = client.messages.stream(hi);
  const { turn } = await gateway.worker.next("submit");
  gateway.worker.send(...answerFrames(turn));
  expect((await stream.finalMessage()).content).toMatchObject([{ text: "let me see" }, ...toolUses]);
});

test("a silent agent's stream is kept alive by pings", async () => {
  await gateway.close();
  gateway = await RunningGateway.start({ limits: { heartbeatMs: 20 } });
  const response = await gateway.fetch("/v1/messages", {
    method: "POST",
    headers: { "x-api-key": key, "content-type": "application/json" },
    body: JSON.stringify({ ...hi, stream: true }),
  });
  const decoder = new TextDecoder();
  let said = "";
  let isAnswered = false;
  for await (const chunk of response.body!) {
    said += decoder.decode(chunk as Uint8Array);
    if (isAnswered || said.split("event: ping\n").length < 3) continue;
    isAnswered = true;
    gateway.worker.send(...answerFrames((await gateway.worker.next("submit")).turn));
  }
  expect(said).toMatch(/^event: message_start\ndata: \{"type":"message_start"/);
  expect(said).toMatch(/event: message_stop\ndata: \{"type":"message_stop"\}\n\n$/);
});

test("a turn that fails is an HTTP error, and in a stream an error event without an end", async () => {
  const error = { code: "upstream_overloaded", message: "too much" } as const;
  const failing = client.messages.create(hi).catch((reason: unknown) => reason);
  gateway.worker.answer(await gateway.worker.next("submit"), "x", { state: "failed", error });
  const whole = await failing;
  expect(whole).toBeInstanceOf(APIError);
  expect(whole).toMatchObject({
    status: 503,
    type: "overloaded_error",
    apiMessage: "too much",
    errorCode: error.code,
  });

  const stream = client.messages.stream(hi);
  const thrown = stream.finalMessage().catch((reason: unknown) => reason);
  gateway.worker.answer(await gateway.worker.next("submit"), "x", { state: "failed", error });
  expect(await thrown).toBeInstanceOf(APIError);
  expect(await thrown).toMatchObject({ type: "overloaded_error", apiMessage: "too much" });
});

test("errors come as the SDK's typed errors, those of the edge too", async () => {
  const failure = async (work: Promise<unknown>) => work.catch((reason: unknown) => reason);
  const stranger = await failure(client.withOptions({ apiKey: "sk-not-this-one" }).messages.create(hi));
  expect(stranger).toBeInstanceOf(AuthenticationError);
  expect(stranger).toMatchObject({
    type: "authentication_error",
    errorCode: "invalid_api_key",
    error: { type: "error", request_id: expect.stringMatching(/^req_/) as string },
    requestID: expect.stringMatching(/^req_/) as string,
  });
  const unknown = await failure(client.messages.create({ ...hi, model: "gpt-4o" }));
  expect(unknown).toBeInstanceOf(NotFoundError);
  expect(unknown).toMatchObject({ type: "not_found_error", errorCode: "model_not_found" });
  const empty = await failure(client.messages.create({ ...hi, messages: [] }));
  expect(empty).toBeInstanceOf(BadRequestError);
  expect(empty).toMatchObject({ type: "invalid_request_error" });
  const prefilled = [...hi.messages, { role: "assistant", content: "I say" } as const];
  expect(await failure(client.messages.create({ ...hi, messages: prefilled }))).toBeInstanceOf(
    BadRequestError,
  );
  const { model, messages } = hi;
  const counted = await failure(client.messages.countTokens({ model, messages }));
  expect(counted).toMatchObject({ status: 404, type: "not_found_error" });
  const lost = await gateway.fetch("/v1/messages/batches", { headers: { "x-api-key": "sk-no" } });
  expect(await lost.json()).toMatchObject({ type: "error", error: { type: "authentication_error" } });
});

test("the results of tools go on with the conversation", async () => {
  const answer = client.messages.create({
    ...hi,
    tools,
    messages: [
      ...hi.messages,
      { role: "assistant", content: [{ type: "tool_use", id: "toolu_1", name: "add", input: { a: 1 } }] },
      { role: "user", content: [{ type: "tool_result", tool_use_id: "toolu_1", content: "2" }] },
    ],
  });
  const submit = await gateway.worker.next("submit");
  expect(JSON.stringify(submit.prompt)).toContain('"text":"2"');
  gateway.worker.answer(submit, "two");
  expect((await answer).content).toMatchObject([{ type: "text", text: "two" }]);
});
