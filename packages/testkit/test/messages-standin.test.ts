import { setImmediate } from "node:timers/promises";
import { expect, test } from "vitest";
import { expectClean, MessagesStandIn, reply } from "../src/index.ts";

expectClean();

const ask = (api: MessagesStandIn, text: string, more: object = {}, init: RequestInit = {}) =>
  fetch(`${api.url}/v1/messages?beta=true`, {
    method: "POST",
    body: JSON.stringify({ model: "m", stream: true, messages: [{ role: "user", content: text }], ...more }),
    ...init,
  });

const eventsOf = (sse: string) =>
  sse
    .split("\n\n")
    .filter(Boolean)
    .map((block) => JSON.parse(block.split("data: ")[1]!));

const textOf = (sse: string) =>
  eventsOf(sse)
    .map((event) => event.delta?.text ?? "")
    .join("");

test("a streamed answer has the events of the Messages API in order", async () => {
  await using api = await MessagesStandIn.start();
  const response = await ask(api, "hello world");
  expect(response.headers.get("content-type")).toBe("text/event-stream");
  const events = eventsOf(await response.text());
  expect(events.map(({ type }) => type)).toEqual([
    "message_start",
    "content_block_start",
    ...Array.from({ length: 4 }, () => "content_block_delta"),
    "content_block_stop",
    "message_delta",
    "message_stop",
  ]);
  expect(events.map((event) => event.delta?.text ?? "").join("")).toBe("standin says: hello world");
});

test("a request without stream gets one JSON message", async () => {
  await using api = await MessagesStandIn.start();
  const thinking = { thinking: "hm", stopReason: "max_tokens", usage: { inputTokens: 7 } } as const;
  api.next(reply.text("whole answer", thinking));
  expect(await (await ask(api, "x", { stream: false })).json()).toMatchObject({
    content: [{ type: "thinking" }, { type: "text", text: "whole answer" }],
    stop_reason: "max_tokens",
    usage: { input_tokens: 7 },
  });
});

test("a tool answer has text, then its calls as input_json deltas", async () => {
  await using api = await MessagesStandIn.start();
  api.next(
    reply.toolUse(
      [
        { name: "Bash", input: { command: "ls" } },
        { name: "Read", input: {} },
      ],
      { text: "look" },
    ),
  );
  const events = eventsOf(await (await ask(api, "x")).text());
  const starts = events.filter(({ type }) => type === "content_block_start");
  expect(starts.map(({ index, content_block }) => [index, content_block.type, content_block.name])).toEqual([
    [0, "text", undefined],
    [1, "tool_use", "Bash"],
    [2, "tool_use", "Read"],
  ]);
  expect(events.find(({ delta }) => delta?.partial_json)?.delta.partial_json).toBe('{"command":"ls"}');
  expect(events.at(-2).delta.stop_reason).toBe("tool_use");
});

test.for([401, 403, 404, 413, 429, 500, 529])("status %i is an API error", async (status) => {
  await using api = await MessagesStandIn.start();
  api.next(reply.status(status, { retryAfterSeconds: 3 }));
  const response = await ask(api, "x");
  expect(response.status).toBe(status);
  expect(response.headers.get("retry-after")).toBe("3");
  expect(await response.json()).toMatchObject({
    type: "error",
    error: { message: `standin error ${status}` },
  });
});

test("faults of a stream show as what they are", async () => {
  await using api = await MessagesStandIn.start();
  api.next(
    reply.html(),
    reply.sseError(["a"]),
    reply.brokenJson(["a"]),
    reply.cleanEnd(["a", "b"]),
    reply.cut(["a", "b"]),
  );
  expect((await ask(api, "x")).headers.get("content-type")).toBe("text/html");
  expect(await (await ask(api, "x")).text()).toContain('"overloaded_error"');
  const broken = await (await ask(api, "x")).text();
  expect(() => eventsOf(broken)).toThrow(SyntaxError);
  const ended = await (await ask(api, "x")).text();
  expect(textOf(ended)).toBe("ab");
  expect(ended).not.toContain("message_stop");
  await expect((await ask(api, "x")).text()).rejects.toThrow("terminated");
  const ours = api.requests.at(-1)!.aborted.then(() => "aborted");
  expect(await Promise.race([ours, setImmediate("not by the client")])).toBe("not by the client");
});

test("a gated answer goes out chunk by chunk as the test pushes it", async () => {
  await using api = await MessagesStandIn.start();
  const held = reply.gated();
  api.next(held.reply);
  const body = (await ask(api, "x")).body!.pipeThrough(new TextDecoderStream());
  let seen = "";
  const reader = body.getReader();
  const readUntil = async (text: string) => {
    while (!seen.includes(text)) seen += (await reader.read()).value ?? "";
  };
  await held.opened;
  held.push("first");
  await readUntil("first");
  expect(seen).not.toContain("second");
  held.push("second");
  await readUntil("second");
  held.end("max_tokens");
  await readUntil("message_stop");
  expect(seen).toContain('"max_tokens"');
  await reader.cancel();
});

test.for([
  ["noHeaders", reply.noHeaders()],
  ["stall", reply.stall(["a"])],
  ["gated", reply.gated().reply],
  ["slow text", reply.text("a b c", { delayMs: 60_000 })],
] as const)("a client that leaves a %s answer is noticed", async ([, scripted]) => {
  await using api = await MessagesStandIn.start();
  api.next(scripted);
  const controller = new AbortController();
  const arrived = api.nextRequest();
  const gone = ask(api, "x", {}, { signal: controller.signal }).then((response) => response.text());
  const request = await arrived;
  controller.abort();
  await expect(gone).rejects.toThrow("aborted");
  await request.aborted;
});

test("side requests consume no queued reply", async () => {
  await using api = await MessagesStandIn.start();
  api.next(reply.text("queued"));
  const count = await fetch(`${api.url}/v1/messages/count_tokens`, { method: "POST", body: "{}" });
  expect(await count.json()).toEqual({ input_tokens: 12 });
  await (await ask(api, "quota", { max_tokens: 1 })).text();
  expect(textOf(await (await ask(api, "x")).text())).toBe("queued");
  expect(api.requests).toHaveLength(3);
  expect(api.conversations).toHaveLength(1);
});

test("a recorded request tells what was said without system reminders", async () => {
  await using api = await MessagesStandIn.start();
  const messages = [
    { role: "user", content: "one" },
    {
      role: "assistant",
      content: [
        { type: "text", text: "answer" },
        { type: "tool_use", id: "t", name: "n", input: {} },
      ],
    },
    { role: "user", content: [{ type: "tool_result", tool_use_id: "t", content: "r" }] },
    {
      role: "user",
      content: [
        { type: "text", text: "<system-reminder>\nnoise\n</system-reminder>" },
        { type: "text", text: "two" },
      ],
    },
    { role: "system", content: "note" },
  ];
  await (await ask(api, "", { messages })).text();
  expect(api.requests[0]?.userText).toBe("two");
  expect(api.requests[0]?.history).toEqual([
    { role: "user", text: "one" },
    { role: "assistant", text: "answer" },
    { role: "user", text: "two" },
  ]);
});

test("the input of a call comes in the pieces that are asked for, also where the answer breaks off in it", async () => {
  await using api = await MessagesStandIn.start();
  const call = { id: "toolu_1", name: "f", input: { q: 1 } };
  api.next(
    reply.toolUse({ ...call, json: ['{"q"', ":1}"] }),
    reply.cleanEnd(["a"], [{ ...call, json: ['{"q'] }]),
  );
  const piecesOf = (sse: string) => eventsOf(sse).flatMap(({ delta }) => delta?.partial_json ?? []);
  expect(piecesOf(await (await ask(api, "x")).text())).toEqual(['{"q"', ":1}"]);
  const broken = await (await ask(api, "x")).text();
  expect([textOf(broken), piecesOf(broken)]).toEqual(["a", ['{"q']]);
  expect(broken).not.toContain("message_stop");
});
