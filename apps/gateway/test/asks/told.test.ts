import type { WorkerFrame } from "@synthesis/protocol";
import { expectClean } from "@synthesis/testkit";
import { afterEach, beforeEach, expect, test } from "vitest";
import { makeAsk } from "../support/fake-asks.ts";
import { deltas, ended } from "../support/fake-worker.ts";
import { key, RunningGateway } from "../support/running-gateway.ts";
import { anthropicOf, openaiOf } from "../support/sdk-clients.ts";

expectClean();

let gateway: RunningGateway;
beforeEach(async () => {
  gateway = await RunningGateway.start();
  const { worker, supervisor } = gateway;
  worker.find = (frame) => worker.said.find(frame);
  supervisor.status = { workers: [{ workspace: "demo", path: "/srv/demo", state: "serving", restarts: 0 }] };
});
afterEach(async () => gateway.close());

const ask = makeAsk();
const verdict = { behavior: "deny", by: "cli" } as const;
const asked = expect.objectContaining({ id: ask.id, tool: "Write", deadline_at: "1970-01-01T00:10:01.000Z" });
const settled = { id: ask.id, ...verdict };
/** Of an answer that is one object. */
const synthesis = { asks: [expect.objectContaining({ ...settled, tool: "Write" })] };

/** A question in words, the ask, its verdict, and what the agent says then. */
function frames(turn: string): WorkerFrame[] {
  return [
    { type: "accepted", turn },
    ...deltas(turn, 1, "May I?"),
    { type: "asked", turn, seq: 2, ask },
    { type: "ask_settled", turn, seq: 3, ask: ask.id, ...verdict },
    ...deltas(turn, 4, " Well."),
    ended(turn, 5),
  ];
}

async function answer(): Promise<string> {
  const { turn } = await gateway.worker.next("submit");
  gateway.worker.send(...frames(turn));
  return turn;
}

test("a chunk tells of an ask, and of its verdict, with a number of its own and no text", async () => {
  const { events } = await gateway.stream("hi");
  const turn = await answer();
  for (let event = 0; event < 2; event++) await events.next();
  const delta = { content: "" };
  expect(await events.next()).toMatchObject({ choices: [{ delta }], synthesis: { asked } });
  expect(events.lastId).toBe(`${turn}:2`);
  expect(await events.next()).toMatchObject({ choices: [{ delta }], synthesis: { ask_settled: settled } });
  expect(events.lastId).toBe(`${turn}:3`);
  expect(await events.text()).toBe(" Well.");
  const rest = await gateway.ask("GET", `/v1/synthesis/turns/${turn}/events`, {
    headers: { "last-event-id": `${turn}:2` },
  });
  const said = await rest.text();
  expect(said).toContain('"ask_settled"');
  expect(said).not.toContain('"asked"');
});

test("OpenAI's SDK streams chat completions and responses with asks in them as it does any", async () => {
  const client = openaiOf(gateway);
  const chat = client.chat.completions.stream({ model: "echo", messages: [{ role: "user", content: "hi" }] });
  await answer();
  expect(await chat.finalContent()).toBe("May I? Well.");
  const response = client.responses.stream({ model: "echo", input: "hi" });
  const [, final] = await Promise.all([answer(), response.finalResponse()]);
  expect(final).toMatchObject({ output_text: "May I? Well.", status: "completed", synthesis });
});

test("Anthropic's SDK streams a message with asks in it as it does any", async () => {
  const messages = [{ role: "user", content: "hi" } as const];
  const stream = anthropicOf(gateway).messages.stream({ model: "echo", max_tokens: 1, messages });
  await answer();
  expect(await stream.finalText()).toBe("May I? Well.");
});

test("the events of a response and of a message tell of asks in order", async () => {
  const headers = { authorization: `Bearer ${key}`, "content-type": "application/json" };
  const messages = [{ role: "user", content: "hi" }];
  for (const [path, body] of [
    ["/v1/responses", { model: "echo", input: "hi", stream: true }],
    ["/v1/messages", { model: "echo", max_tokens: 1, messages, stream: true }],
  ] as const) {
    const response = await gateway.fetch(path, { method: "POST", headers, body: JSON.stringify(body) });
    await answer();
    const lines = (await response.text()).split("\n").filter((line) => line.startsWith("data: "));
    const events = lines.map((line): Record<string, unknown> => JSON.parse(line.slice("data: ".length)));
    const beats = events.filter(({ type }) => type === "keepalive" || type === "ping");
    expect(beats).toMatchObject([{ synthesis: { asked } }, { synthesis: { ask_settled: settled } }]);
    const numbers = events.map((event) => event["sequence_number"]).filter((number) => number !== undefined);
    expect(numbers).toEqual(numbers.map((_, index) => index));
  }
});

test("an answer that is one object has its asks with their verdicts; one that asked nothing has no word of it", async () => {
  const chat = gateway.chat("hi");
  await answer();
  expect(await (await chat).json()).toMatchObject({
    choices: [{ message: { content: "May I? Well." } }],
    synthesis,
  });
  const create = { model: "echo", input: "hi" };
  const response = openaiOf(gateway).responses.create(create);
  await answer();
  expect(await response).toMatchObject({ output_text: "May I? Well.", synthesis });
  const messages = [{ role: "user", content: "hi" } as const];
  const message = anthropicOf(gateway).messages.create({ model: "echo", max_tokens: 1, messages });
  await answer();
  expect(await message).toMatchObject({ content: [{ text: "May I? Well." }], synthesis });
  const plain = gateway.chat("hi");
  gateway.worker.answer(await gateway.worker.next("submit"), "hello");
  expect(await (await plain).json()).not.toHaveProperty("synthesis");
});
