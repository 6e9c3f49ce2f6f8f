import { randomUUID } from "node:crypto";
import { expectClean } from "@synthesis/testkit";
import type { TurnEnd, WorkerFrame } from "@synthesis/protocol";
import { APIError, NotFoundError, type OpenAI } from "openai";
import type { ResponseStreamEvent } from "openai/resources/responses/responses";
import { afterEach, beforeEach, expect, test } from "vitest";
import { completed, deltas, ended } from "../support/fake-worker.ts";
import { openaiOf } from "../support/sdk-clients.ts";
import { clawKey, key, RunningGateway } from "../support/running-gateway.ts";

expectClean();

let gateway: RunningGateway;
let client: OpenAI;
beforeEach(async () => {
  gateway = await RunningGateway.start({ limits: { vanishedMs: 10 } });
  const { worker, supervisor } = gateway;
  worker.find = (frame) => worker.said.find(frame);
  supervisor.status = { workers: [{ workspace: "demo", path: "/srv/demo", state: "serving", restarts: 0 }] };
  client = openaiOf(gateway);
});
afterEach(async () => gateway.close());

const usage = { inputTokens: 10, cachedInputTokens: 4, outputTokens: 3, reasoningTokens: 2 };
const hi = { model: "echo", input: "hi" };

/** Thinking, text, and a call of a function in two pieces. */
function answerFrames(turn: string, end: TurnEnd = completed): WorkerFrame[] {
  const call = { index: 0, id: "toolu1", name: "add", arguments: "" };
  return [
    { type: "accepted", turn },
    { type: "reasoning", turn, seq: 1, text: "hm" },
    ...deltas(turn, 2, "let me ", "see"),
    { type: "tool_called", turn, seq: 4, call },
    { type: "tool_called", turn, seq: 5, call: { index: 0, arguments: '{"a":' } },
    { type: "tool_called", turn, seq: 6, call: { index: 0, arguments: "1}" } },
    ended(turn, 7, end),
  ];
}

const called: TurnEnd = { state: "completed", finishReason: "tool_calls", usage, costUsd: 0.5 };
const wholeOutput = [
  { type: "reasoning", status: "completed", summary: [{ type: "summary_text", text: "hm" }] },
  {
    type: "message",
    role: "assistant",
    status: "completed",
    content: [{ type: "output_text", text: "let me see", annotations: [] }],
  },
  { type: "function_call", status: "completed", call_id: "toolu1", name: "add", arguments: '{"a":1}' },
];

async function eventsOf(stream: AsyncIterable<ResponseStreamEvent>): Promise<ResponseStreamEvent[]> {
  const events: ResponseStreamEvent[] = [];
  for await (const event of stream) events.push(event);
  return events;
}

test("create answers with a whole response: reasoning, text, calls, usage, and what it was asked", async () => {
  const tools = [{ type: "function", name: "add", parameters: {}, strict: false }] as const;
  const answer = client.responses
    .create({ ...hi, instructions: "be brief", tools: [...tools], metadata: { a: "b" }, temperature: 0 })
    .withResponse();
  const submit = await gateway.worker.next("submit");
  expect(submit).toMatchObject({ prompt: "hi", instructions: "be brief", tools: [{ name: "add" }] });
  gateway.worker.send(...answerFrames(submit.turn, called));
  const { data, response } = await answer;
  expect(data).toMatchObject({
    id: `resp_${submit.turn.replaceAll("-", "")}`,
    object: "response",
    status: "completed",
    model: "echo",
    error: null,
    incomplete_details: null,
    instructions: "be brief",
    metadata: { a: "b" },
    tools,
    tool_choice: "auto",
    output: wholeOutput,
    output_text: "let me see",
    usage: {
      input_tokens: 10,
      input_tokens_details: { cached_tokens: 4 },
      output_tokens: 3,
      output_tokens_details: { reasoning_tokens: 2 },
      total_tokens: 13,
    },
  });
  expect(new Set(data.output.map(({ id }) => id)).size).toBe(3);
  expect(response.headers.get("x-synthesis-cost-usd")).toBe("0.5");
  expect(response.headers.get("x-synthesis-ignored")).toBe("temperature");
});

test("a stream has every event of the API in its order, and the SDK's helper makes the response of it", async () => {
  const stream = client.responses.stream(hi);
  const seen: ResponseStreamEvent[] = [];
  stream.on("event", (event) => seen.push(event));
  const { turn } = await gateway.worker.next("submit");
  gateway.worker.send(...answerFrames(turn, called));
  const final = await stream.finalResponse();
  expect(final).toMatchObject({ status: "completed", output: wholeOutput, output_text: "let me see" });
  expect(seen.map(({ type }) => type)).toEqual([
    "response.created",
    "response.in_progress",
    "response.output_item.added",
    "response.reasoning_summary_part.added",
    "response.reasoning_summary_text.delta",
    "response.reasoning_summary_text.done",
    "response.reasoning_summary_part.done",
    "response.output_item.done",
    "response.output_item.added",
    "response.content_part.added",
    "response.output_text.delta",
    "response.output_text.delta",
    "response.output_text.done",
    "response.content_part.done",
    "response.output_item.done",
    "response.output_item.added",
    "response.function_call_arguments.delta",
    "response.function_call_arguments.delta",
    "response.function_call_arguments.done",
    "response.output_item.done",
    "response.completed",
  ]);
  expect(seen.map((event) => event.sequence_number)).toEqual(seen.map((_, index) => index));
});

test("a response that is retrieved as a stream has the same events, from any of them on", async () => {
  const created = client.responses.create({ ...hi, stream: true });
  const { turn } = await gateway.worker.next("submit");
  gateway.worker.send(...answerFrames(turn, called));
  const first = await eventsOf(await created);
  const id = `resp_${turn.replaceAll("-", "")}`;
  const plain = (events: ResponseStreamEvent[]) =>
    events.map((event) => ("response" in event ? { ...event, response: event.response.output } : event));
  const again = await eventsOf(await client.responses.retrieve(id, { stream: true }));
  expect(plain(again)).toEqual(plain(first));
  const rest = await eventsOf(await client.responses.retrieve(id, { stream: true, starting_after: 11 }));
  expect(plain(rest)).toEqual(plain(first).slice(12));
  expect(await client.responses.retrieve(id)).toMatchObject({
    id,
    status: "completed",
    output: wholeOutput,
    output_text: "let me see",
    usage: { total_tokens: 13 },
  });
  expect(gateway.worker.unread("submit")).toBe(0);
});

test("an answer that was cut short is incomplete, and says why", async () => {
  const stream = client.responses.create({ ...hi, stream: true });
  const { turn } = await gateway.worker.next("submit");
  const end: TurnEnd = { state: "completed", finishReason: "length" };
  gateway.worker.send({ type: "accepted", turn }, ...deltas(turn, 1, "part"), ended(turn, 2, end));
  expect((await eventsOf(await stream)).at(-1)).toMatchObject({
    type: "response.incomplete",
    response: {
      status: "incomplete",
      incomplete_details: { reason: "max_output_tokens" },
      output: [{ status: "incomplete", content: [{ text: "part" }] }],
    },
  });
});

test("a turn that fails is an HTTP error, in a stream a failed response and an error, and stays failed", async () => {
  const error = { code: "turn_failed", message: "it broke" } as const;
  const failing = client.responses.create(hi).catch((reason: unknown) => reason);
  gateway.worker.answer(await gateway.worker.next("submit"), "x", { state: "failed", error });
  expect(await failing).toMatchObject({ status: 502, code: "turn_failed", message: "502 it broke" });

  const types: string[] = [];
  const read = async () => {
    for await (const { type } of await client.responses.create({ ...hi, stream: true })) types.push(type);
  };
  const reading = read().catch((reason: unknown) => reason);
  const submit = await gateway.worker.next("submit");
  gateway.worker.answer(submit, "x", { state: "failed", error });
  const thrown = await reading;
  expect(thrown).toBeInstanceOf(APIError);
  expect(thrown).toMatchObject({ code: "turn_failed", type: "invalid_request_error" });
  expect(types.slice(-2)).toEqual(["response.output_item.done", "response.failed"]);
  expect(await client.responses.retrieve(`resp_${submit.turn.replaceAll("-", "")}`)).toMatchObject({
    status: "failed",
    error: { code: "turn_failed", message: "it broke" },
  });
});

test("a silent agent's stream is kept alive by events that the SDK takes and that count for nothing", async () => {
  await gateway.close();
  gateway = await RunningGateway.start({ limits: { heartbeatMs: 20 } });
  const stream = openaiOf(gateway).responses.stream(hi);
  let alive = 0;
  const beaten = Promise.withResolvers<void>();
  stream.on("event", ({ type }) => {
    if ((type as string) === "keepalive" && ++alive === 2) beaten.resolve();
  });
  const { turn } = await gateway.worker.next("submit");
  await beaten.promise;
  gateway.worker.send(...answerFrames(turn, called));
  expect(await stream.finalResponse()).toMatchObject({ status: "completed", output_text: "let me see" });
});

test("in the background a response is answered at once, goes on without its client, and is retrieved", async () => {
  const response = await client.responses.create({ ...hi, background: true });
  expect(response).toMatchObject({ status: "in_progress", background: true, output: [] });
  const { turn } = await gateway.worker.next("submit");
  expect(response.id).toBe(`resp_${turn.replaceAll("-", "")}`);
  gateway.worker.send({ type: "accepted", turn }, ...deltas(turn, 1, "an"));
  expect(await client.responses.retrieve(response.id)).toMatchObject({ status: "in_progress" });
  gateway.worker.send(...deltas(turn, 2, "swer"), ended(turn, 3));
  const done = await client.responses.retrieve(response.id);
  expect(done).toMatchObject({ status: "completed", output_text: "answer" });
  expect(gateway.worker.unread("cancel_turn")).toBe(0);
});

test("the second response of a session in the background is queued, and cancelled while it waits", async () => {
  const create = async () => client.responses.create({ ...hi, background: true, prompt_cache_key: "k" });
  const first = await create();
  const { turn } = await gateway.worker.next("submit");
  gateway.worker.send({ type: "accepted", turn });
  const second = await create();
  expect([first.status, second.status]).toEqual(["in_progress", "queued"]);
  const waiting = await client.responses.retrieve(second.id);
  expect(waiting).toMatchObject({ status: "queued", model: "echo", created_at: second.created_at });
  expect(await client.responses.cancel(second.id)).toMatchObject({ id: second.id, status: "cancelled" });

  let isAnswered = false;
  const cancelling = client.responses.cancel(first.id).finally(() => (isAnswered = true));
  expect(await gateway.worker.next("cancel_turn")).toMatchObject({ turn });
  for (let asked = 0; asked < 3; asked++)
    expect(await client.responses.retrieve(first.id)).toMatchObject({ status: "in_progress" });
  expect(isAnswered).toBe(false);
  const error = { code: "turn_cancelled", message: "cancelled" } as const;
  gateway.worker.send(ended(turn, 1, { state: "cancelled", error }));
  expect(await cancelling).toMatchObject({ status: "cancelled", error: { code: "turn_cancelled" } });
  expect(await client.responses.cancel(first.id)).toMatchObject({ status: "cancelled" });
});

test("a response is found by its own API key only, and is not deleted alone", async () => {
  const created = client.responses.create(hi);
  const submit = await gateway.worker.next("submit");
  gateway.worker.answer(submit, "x");
  const { id } = await created;
  const stranger = client.withOptions({ apiKey: clawKey });
  for (const [asking, unknown] of [
    [stranger, id],
    [client, `resp_${randomUUID().replaceAll("-", "")}`],
    [client, "resp_x"],
  ] as const)
    await expect(asking.responses.retrieve(unknown)).rejects.toBeInstanceOf(NotFoundError);
  await expect(client.responses.delete(id)).rejects.toMatchObject({ status: 405 });
  const odd = await gateway.ask("GET", `/v1/responses/${id}?stream=true&starting_after=-1`, { key });
  expect(odd.status).toBe(400);
  await odd.text();
});

test("a response that goes on from another names its turn", async () => {
  const created = client.responses.create(hi);
  gateway.worker.answer(await gateway.worker.next("submit"), "hello");
  const { id } = await created;
  const asked = new Promise((resolve) => {
    gateway.worker.locate = (frame) => {
      resolve(frame.by);
      return undefined;
    };
  });
  const next = client.responses.create({ ...hi, previous_response_id: id }).catch((error: unknown) => error);
  expect(await asked).toMatchObject({ turn: expect.any(String) as string });
  expect(await next).toBeInstanceOf(NotFoundError);
});

test("a response goes on from one of its agent's under the session's own key", async () => {
  const id = await answered("hi");
  gateway.worker.locate = () => ({ session: "ses_k", agent: "echo", key: "tg:-100", point, isHead: true });
  const next = client.responses.create({ ...hi, previous_response_id: id });
  const submit = await gateway.worker.next("submit");
  expect(submit).toMatchObject({ session: { id: "ses_k", key: "tg:-100", agent: "echo" }, follows: point });
  gateway.worker.answer(submit, "on");
  await next;
});

test("another agent goes on from it in a session of its own, and one of another driver not at all", async () => {
  const id = await answered("hi");
  gateway.worker.locate = () => ({ session: "ses_k", agent: "echo", key: "tg:-100", point, isHead: true });
  const next = client.responses.create({ model: "own", input: "hi", previous_response_id: id });
  const submit = await gateway.worker.next("submit");
  expect(submit).toMatchObject({ session: { agent: "own" }, follows: point, branchOf: "ses_k" });
  expect([submit.session.id, submit.session.key]).not.toContain("ses_k");
  expect(submit.session.key).toBe(submit.session.id);
  gateway.worker.answer(submit, "on");
  await next;
  const other = client.responses.create({ model: "other", input: "hi", previous_response_id: id });
  await expect(other).rejects.toMatchObject({ status: 404, code: "turn_not_found" });
});

test("a response that the agent cannot go back to is the request's fault, and what to name instead is said", async () => {
  const id = await answered("hi");
  gateway.worker.locate = () => ({ session: "ses_k", agent: "echo", key: "tg:-100", point, isHead: false });
  const next = client.responses.create({ ...hi, previous_response_id: id }).catch((error: unknown) => error);
  const { turn } = await gateway.worker.next("submit");
  gateway.worker.send({ type: "refused", turn, error: { code: "session_lost", message: "it cannot" } });
  expect(await next).toMatchObject({
    status: 400,
    code: "invalid_request",
    message: expect.stringContaining("previous_response_id: ") as string,
  });
  expect(gateway.worker.unread("submit")).toBe(0);
});

const point = "a".repeat(64);

/** The id of a response that is over. */
async function answered(input: string): Promise<string> {
  const created = client.responses.create({ ...hi, input });
  gateway.worker.answer(await gateway.worker.next("submit"), "hello");
  return (await created).id;
}
