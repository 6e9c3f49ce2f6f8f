import { expectClean } from "@synthesis/testkit";
import { afterEach, beforeEach, expect, test } from "vitest";
import { ended, toolCalls } from "../support/fake-worker.ts";
import { RunningGateway } from "../support/running-gateway.ts";

expectClean();

let gateway: RunningGateway;
beforeEach(async () => {
  gateway = await RunningGateway.start();
});
afterEach(async () => gateway.close());

const messages = [{ role: "user", content: "read it" }];
const fn = (name: string) => ({ type: "function", function: { name, parameters: { type: "object" } } });
const tools = [fn("read"), fn("stop")];

/** Asks, has the agent call these functions, and gives what it was told and what the client was. */
async function turn(body: object, ...names: readonly string[]) {
  const asked = gateway.chat({ messages, tools, ...body });
  const submit = await gateway.worker.next("submit");
  const { turn: id } = submit;
  const calls = names.map((name, index) => ({ index, id: `toolu${index}`, name, arguments: "{}" }));
  gateway.worker.send({ type: "accepted", turn: id }, ...toolCalls(id, 1, ...calls));
  const finishReason = names.length === 0 ? "stop" : "tool_calls";
  gateway.worker.send(ended(id, calls.length + 1, { state: "completed", finishReason }));
  const response = await asked;
  return { submit, status: response.status, answer: (await response.json()) as { error?: { code: string } } };
}

test("functions are offered to the agent, and its calls are the answer", async () => {
  const { submit, answer } = await turn({}, "read", "stop");
  expect(submit.tools).toEqual([
    { name: "read", parameters: { type: "object" } },
    { name: "stop", parameters: { type: "object" } },
  ]);
  expect(submit.prompt).toBe("read it");
  expect(answer).toMatchObject({ choices: [{ finish_reason: "tool_calls" }] });
});

test("none may be called where the client says so", async () => {
  const { submit } = await turn({ tool_choice: "none" });
  expect(submit).not.toHaveProperty("tools");
});

test.for<[choice: string | object, told: string, mustCall: object]>([
  ["required", "at least one of the client's functions", {}],
  [{ type: "function", function: { name: "read" } }, "the function read", { name: "read" }],
])("the choice %j is told to the agent, and its worker sees to it", async ([choice, told, mustCall]) => {
  const { submit } = await turn({ tool_choice: choice }, "read");
  expect(submit.prompt).toBe(`read it\n\n(In this answer you must call ${told}.)`);
  expect(submit.mustCall).toEqual(mustCall);
});

test("where nothing must be called the worker is told nothing of it", async () => {
  const { submit } = await turn({ tool_choice: "auto" });
  expect(submit).not.toHaveProperty("mustCall");
});

test("settings of the turn reach the agent, in Claude's words", async () => {
  const { submit } = await turn({
    messages: [{ role: "system", content: "be brief" }, ...messages],
    reasoning_effort: "minimal",
    response_format: { type: "json_object" },
  });
  expect(submit).toMatchObject({ instructions: "be brief", effort: "low", answerSchema: { type: "object" } });
});

test.for<[title: string, body: object, message: string]>([
  ["a JSON answer", { response_format: { type: "json_object" } }, "this agent answers in text only"],
  ["a demanded call", { tool_choice: "required" }, "this agent calls no functions of a client"],
])("%s is refused of an agent that is no Claude", async ([, body, message]) => {
  const response = await gateway.chat({ messages, tools, ...body, model: "other" });
  expect(response.status).toBe(400);
  expect(await response.json()).toMatchObject({
    error: { message: expect.stringContaining(message) as string },
  });
});

test("images and files are for an agent that is no Claude too", async () => {
  const url = "data:image/png;base64,AAAA";
  const content = [
    { type: "text", text: "look" },
    { type: "image_url", image_url: { url } },
    { type: "file", file: { filename: "a.pdf", file_data: "data:application/pdf;base64,AAAA" } },
  ];
  const { submit } = await turn({ model: "other", messages: [{ role: "user", content }], tools: [] });
  expect(submit.prompt).toEqual([
    { type: "text", text: "look" },
    { type: "image", mediaType: "image/png", data: "AAAA" },
    { type: "document", mediaType: "application/pdf", data: "AAAA", name: "a.pdf" },
  ]);
});

test("an agent whose instructions are its own is given none, and the client is told", async () => {
  const system = { role: "system", content: "be brief" };
  const asked = gateway.chat({ model: "own", messages: [system, ...messages] });
  const submit = await gateway.worker.next("submit");
  expect(submit).not.toHaveProperty("instructions");
  gateway.worker.answer(submit, "yes");
  const response = await asked;
  expect(response.headers.get("x-synthesis-ignored")).toBe("instructions");
  await response.text();
});

test("more functions than are taken are refused before anything is asked", async () => {
  const many = Array.from({ length: 257 }, (_, index) => fn(`f${index}`));
  const response = await gateway.chat({ messages, tools: many });
  expect(await response.json()).toMatchObject({ error: { code: "invalid_request" } });
  expect(gateway.supervisor.asked).toEqual([]);
});
