import { afterEach, beforeEach, expect, test } from "vitest";
import { expectClean } from "@synthesis/testkit";
import { deltas, ended, toolCalls } from "../support/fake-worker.ts";
import { RunningGateway } from "../support/running-gateway.ts";

expectClean();

let gateway: RunningGateway;
beforeEach(async () => {
  gateway = await RunningGateway.start();
});
afterEach(async () => gateway.close());

test("without stream the answer is one JSON object, with usage, and its cost in a header", async () => {
  const { worker } = gateway;
  const asked = gateway.chat("hi");
  const { turn } = await worker.next("submit");
  const usage = { inputTokens: 10, cachedInputTokens: 4, outputTokens: 3 };
  worker.send({ type: "accepted", turn }, { type: "reasoning", turn, seq: 1, text: "hm" });
  worker.send(...deltas(turn, 2, "Hello", " you"));
  worker.send(ended(turn, 4, { state: "completed", finishReason: "stop", usage, costUsd: 0.5 }));
  const response = await asked;
  expect(response.status).toBe(200);
  expect(response.headers.get("x-synthesis-cost-usd")).toBe("0.5");
  expect(response.headers.get("x-synthesis-turn")).toBe(turn);
  expect(await response.json()).toEqual({
    id: `chatcmpl-${turn}`,
    object: "chat.completion",
    created: expect.any(Number) as number,
    model: "echo",
    system_fingerprint: expect.stringMatching(/^fp_[0-9a-f]{16}$/) as string,
    choices: [
      {
        index: 0,
        message: { role: "assistant", content: "Hello you", refusal: null, reasoning_content: "hm" },
        logprobs: null,
        finish_reason: "stop",
      },
    ],
    usage: {
      prompt_tokens: 10,
      completion_tokens: 3,
      total_tokens: 13,
      prompt_tokens_details: { cached_tokens: 4 },
      cost_usd: 0.5,
    },
  });
});

test.for([
  ["a failure that passes may be repeated", "", 1_500, "true", "2"],
  ["a failure that stays may not", "", undefined, "false", null],
  ["so says the worker, also of one after output", "some text", undefined, "false", null],
] as const)("%s", async ([, text, retryAfterMs, shouldRetry, retryAfter]) => {
  const asked = gateway.chat("hi");
  const error = {
    code: "upstream_overloaded",
    message: "busy",
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  } as const;
  gateway.worker.answer(await gateway.worker.next("submit"), text, { state: "failed", error });
  const response = await asked;
  expect(response.status).toBe(503);
  expect(response.headers.get("x-should-retry")).toBe(shouldRetry);
  expect(response.headers.get("retry-after")).toBe(retryAfter);
  for (const name of ["x-request-id", "x-synthesis-session", "x-synthesis-turn"])
    expect(response.headers.get(name), name).not.toBeNull();
  expect(await response.json()).toEqual({
    error: {
      message: "busy",
      type: shouldRetry === "true" ? "upstream_error" : "invalid_request_error",
      param: null,
      code: "upstream_overloaded",
    },
  });
});

test("the headers say what was ignored, and by which rule the session was found", async () => {
  const messages = [
    { role: "system", content: "s" },
    { role: "user", content: "hi" },
  ];
  const tools = [{ type: "function", function: { name: "f" } }];
  const asked = gateway.chat(
    { model: "other/haiku", messages, temperature: 0, tools, reasoning_effort: "high" },
    { headers: { "x-openclaw-session-key": "k" } },
  );
  const submit = await gateway.worker.next("submit");
  expect(submit).toMatchObject({ model: "haiku", prompt: "hi", session: { agent: "other", key: "k" } });
  for (const field of ["instructions", "tools", "effort"]) expect(submit).not.toHaveProperty(field);
  gateway.worker.answer(submit, "yes");
  const { headers, body } = await asked;
  expect(headers.get("x-synthesis-ignored")).toBe("temperature, instructions, tools, effort");
  expect(headers.get("x-synthesis-session")).toBe(submit.session.id);
  expect(headers.get("x-synthesis-session-rule")).toBe("openclaw-session-key");
  expect(headers.get("x-synthesis-queue-position")).toBe("0");
  await body?.cancel();
});

test("only so many of the ignored fields are named, for a header has its bounds", async () => {
  const many = Object.fromEntries(Array.from({ length: 300 }, (_, index) => [`field_${index}`, 1]));
  const asked = gateway.chat({ messages: [{ role: "user", content: "hi" }], ...many });
  gateway.worker.answer(await gateway.worker.next("submit"), "yes");
  const response = await asked;
  const named = response.headers.get("x-synthesis-ignored")?.split(", ") ?? [];
  expect([named.length, named[0], named.at(-1)]).toEqual([25, "field_0", "and 276 more"]);
  await response.text();
});

test("calls of the client's functions are put together from their pieces, and an answer of nothing else has no content", async () => {
  const { worker } = gateway;
  const asked = gateway.chat("hi");
  const { turn } = await worker.next("submit");
  const usage = { inputTokens: 10, cachedInputTokens: 4, outputTokens: 3, reasoningTokens: 2 };
  worker.send(
    { type: "accepted", turn },
    ...toolCalls(
      turn,
      1,
      { index: 0, id: "toolu1", name: "read", arguments: "" },
      { index: 0, arguments: '{"path":' },
      { index: 1, id: "toolu2", name: "stop", arguments: "{}" },
      { index: 0, arguments: '"a"}' },
    ),
    ended(turn, 5, { state: "completed", finishReason: "tool_calls", usage }),
  );
  const read = { id: "toolu1", type: "function", function: { name: "read", arguments: '{"path":"a"}' } };
  const stop = { id: "toolu2", type: "function", function: { name: "stop", arguments: "{}" } };
  expect(await (await asked).json()).toMatchObject({
    choices: [{ message: { content: null, tool_calls: [read, stop] }, finish_reason: "tool_calls" }],
    usage: { completion_tokens_details: { reasoning_tokens: 2 } },
  });
});

test("text before calls is content, and an answer of nothing at all is an empty one", async () => {
  for (const [text, content] of [
    ["I read it", "I read it"],
    ["", ""],
  ] as const) {
    const asked = gateway.chat("hi");
    gateway.worker.answer(await gateway.worker.next("submit"), text);
    const { choices } = (await (await asked).json()) as { choices: [{ message: object }] };
    expect(choices[0].message).toEqual({ role: "assistant", content, refusal: null });
  }
});
