import { once } from "node:events";
import { connect } from "node:net";
import { afterEach, expect, test } from "vitest";
import { expectClean } from "@synthesis/testkit";
import { deltas, ended, toolCalls } from "../support/fake-worker.ts";
import { head } from "../support/raw-http.ts";
import { key, RunningGateway, type GatewayChanges } from "../support/running-gateway.ts";

expectClean();

let gateway: RunningGateway;
afterEach(async () => gateway.close());
const start = async (changes: GatewayChanges = {}) => (gateway = await RunningGateway.start(changes));

const usage = { inputTokens: 10, cachedInputTokens: 4, outputTokens: 3 };

test("a stream begins with the role, brings each delta, and ends with a finish reason and [DONE]", async () => {
  const { worker } = await start();
  const { response, events } = await gateway.stream("hi");
  expect(response.status).toBe(200);
  expect(response.headers.get("content-type")).toBe("text/event-stream; charset=utf-8");
  const first = await events.next();
  expect(first).toEqual({
    id: `chatcmpl-${response.headers.get("x-synthesis-turn")}`,
    object: "chat.completion.chunk",
    created: expect.any(Number) as number,
    model: "echo",
    system_fingerprint: expect.stringMatching(/^fp_[0-9a-f]{16}$/) as string,
    choices: [{ index: 0, delta: { role: "assistant", content: "" }, finish_reason: null }],
  });
  const { turn } = await worker.next("submit");
  worker.send({ type: "accepted", turn }, { type: "delta", turn, seq: 1, text: "a\nü" });
  expect(await events.delta()).toEqual({ content: "a\nü" });
  worker.send({ type: "reasoning", turn, seq: 2, text: "hm" }, ...deltas(turn, 3, "data: [DONE]\n\n"));
  expect(await events.delta()).toEqual({ reasoning_content: "hm" });
  expect(await events.delta()).toEqual({ content: "data: [DONE]\n\n" });
  worker.send(ended(turn, 4, { state: "completed", finishReason: "length", usage }));
  expect(await events.next()).toMatchObject({ choices: [{ delta: {}, finish_reason: "length" }] });
  expect(await events.rest()).toEqual(["[DONE]"]);
});

test("a call streams with its id and name first, then its arguments as they come", async () => {
  const { worker } = await start();
  const { events } = await gateway.stream("hi");
  const { turn } = await worker.next("submit");
  worker.send(
    { type: "accepted", turn },
    ...deltas(turn, 1, "I read"),
    ...toolCalls(
      turn,
      2,
      { index: 0, id: "toolu1", name: "read", arguments: "" },
      { index: 0, arguments: '{"a"' },
      { index: 0, arguments: ":1}" },
    ),
    ended(turn, 5, { state: "completed", finishReason: "tool_calls" }),
  );
  expect((await events.rest()).slice(1)).toMatchObject([
    { choices: [{ delta: { content: "I read" } }] },
    {
      choices: [
        {
          delta: {
            tool_calls: [
              { index: 0, id: "toolu1", type: "function", function: { name: "read", arguments: "" } },
            ],
          },
        },
      ],
    },
    { choices: [{ delta: { tool_calls: [{ index: 0, function: { arguments: '{"a"' } }] } }] },
    { choices: [{ delta: { tool_calls: [{ index: 0, function: { arguments: ":1}" } }] } }] },
    { choices: [{ delta: {}, finish_reason: "tool_calls" }] },
    "[DONE]",
  ]);
  expect(events.lastId).toBe(`${turn}:5`);
});

test("usage comes in a chunk of its own, with the cost, where it is asked for", async () => {
  const { worker } = await start();
  const { events } = await gateway.stream("hi", { body: { stream_options: { include_usage: true } } });
  const submit = await worker.next("submit");
  worker.answer(submit, "x", { state: "completed", finishReason: "stop", usage, costUsd: 0.25 });
  const [, , finish, last, done] = await events.rest();
  expect(finish).toMatchObject({ choices: [{ finish_reason: "stop" }] });
  expect(last).toMatchObject({
    choices: [],
    usage: {
      prompt_tokens: 10,
      completion_tokens: 3,
      total_tokens: 13,
      prompt_tokens_details: { cached_tokens: 4 },
      cost_usd: 0.25,
    },
  });
  expect(done).toBe("[DONE]");
});

test("a silent agent's stream gets empty content deltas as heartbeat, also while it is queued", async () => {
  const { worker } = await start({ limits: { heartbeatMs: 30 } });
  const session = { headers: { "x-openclaw-session-key": "k" } };
  const running = await gateway.stream("one", session);
  const waiting = await gateway.stream("two", session);
  for (const { events } of [running, waiting]) {
    expect(await events.delta()).toEqual({ role: "assistant", content: "" });
    expect(await events.delta()).toEqual({ content: "" });
    expect(await events.delta()).toEqual({ content: "" });
  }
  worker.answer(await worker.next("submit"), "1");
  worker.answer(await worker.next("submit"), "2");
  expect((await waiting.events.rest()).at(-1)).toBe("[DONE]");
  await running.events.rest();
});

test.for(["failed", "cancelled", "interrupted"] as const)(
  "a turn that %s ends its stream with an error event and no [DONE]",
  async (state) => {
    const { worker } = await start();
    const { events } = await gateway.stream("hi");
    const error = { code: "turn_failed", message: "it broke", retryAfterMs: 1 } as const;
    worker.answer(await worker.next("submit"), "partial", { state, error });
    const all = await events.rest();
    expect(all.at(-1)).toEqual({
      error: { message: "it broke", type: "server_error", param: null, code: "turn_failed" },
    });
    expect(all).not.toContain("[DONE]");
    expect(JSON.stringify(all)).not.toContain('"finish_reason":"');
  },
);

test("a turn that the worker refuses ends its stream with the error", async () => {
  const { worker } = await start();
  const { events } = await gateway.stream("hi");
  const { turn } = await worker.next("submit");
  worker.send({ type: "refused", turn, error: { code: "history_changed", message: "not that" } });
  expect((await events.rest()).at(-1)).toMatchObject({ error: { code: "history_changed" } });
});

test("a client that reads nothing is cut off at the bound, and its turn is cancelled", async () => {
  const { worker } = await start({ limits: { clientBufferBytes: 64 * 1024, vanishedMs: 10 } });
  const body = JSON.stringify({ model: "echo", stream: true, messages: [{ role: "user", content: "much" }] });
  const lines = [
    `host: 127.0.0.1:${gateway.port}`,
    `authorization: Bearer ${key}`,
    "content-type: application/json",
  ];
  const socket = connect(gateway.port, "127.0.0.1");
  socket.on("error", () => {});
  socket.pause();
  socket.write(head("POST /v1/chat/completions", ...lines, `content-length: ${body.length}`) + body);
  const { turn } = await worker.next("submit");
  const cancelled = worker.next("cancel_turn");
  const megabyte = "x".repeat(1024 * 1024);
  worker.send({ type: "accepted", turn });
  for (let sent = 1; sent <= 16; sent++) worker.send(...deltas(turn, sent, megabyte));
  expect(await cancelled).toMatchObject({ turn });
  const closed = once(socket, "close");
  socket.resume();
  await closed;
  worker.send(
    ended(turn, 17, { state: "cancelled", error: { code: "turn_cancelled", message: "cancelled" } }),
  );
});

test("deltas of one message travel in one write", async () => {
  const { worker } = await start();
  const response = await gateway.chat({ stream: true, messages: [{ role: "user", content: "hi" }] });
  const chunks = response.body![Symbol.asyncIterator]() as AsyncIterator<Uint8Array>;
  await chunks.next();
  const { turn } = await worker.next("submit");
  worker.begin({ turn }, ...Array.from({ length: 50 }, (_, n) => `${n} `));
  const { value } = await chunks.next();
  expect(new TextDecoder().decode(value).match(/data: /g)).toHaveLength(50);
  worker.send(ended(turn, 51));
  while (!(await chunks.next()).done);
});
