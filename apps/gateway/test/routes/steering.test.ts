import { afterEach, beforeEach, expect, test } from "vitest";
import { expectClean } from "@synthesis/testkit";
import { RunningGateway } from "../support/running-gateway.ts";

expectClean();

let gateway: RunningGateway;
beforeEach(async () => {
  gateway = await RunningGateway.start();
  gateway.worker.locate = ({ by }) => ("session" in by ? by.session : undefined);
});
afterEach(async () => gateway.close());

const session = { "x-openclaw-session-key": "one conversation" };
const steer = { headers: { ...session, "x-synthesis-busy": "steer" } };
const tools = [{ type: "function", function: { name: "look" } }];
const format = { type: "json_schema", json_schema: { schema: { type: "object" } } };

test("what a running turn cannot be told is named as ignored", async () => {
  const { worker } = gateway;
  const running = await gateway.stream("a", { headers: session });
  const submit = await worker.next("submit");
  worker.begin(submit, "one ");
  const body = { tools, reasoning_effort: "low", messages: [{ role: "system", content: "be" }] };
  body.messages.push({ role: "user", content: "b" });
  const steering = await gateway.stream("b", { ...steer, body });
  expect(steering.response.headers.get("x-synthesis-steers")).toBe(submit.turn);
  expect(steering.response.headers.get("x-synthesis-ignored")).toBe("instructions, tools, effort");
  worker.send({ type: "steered", request: (await worker.next("steer")).request, after: 1 });
  worker.answer(submit, "two");
  await running.events.text();
  await steering.events.text();
});

test.for<[string, object]>([
  ["a form", { response_format: format }],
  ["a call", { tools, tool_choice: "required" }],
])("a request whose answer must have %s is a turn of its own", async ([, body]) => {
  const { worker } = gateway;
  const running = await gateway.stream("a", { headers: session });
  const submit = await worker.next("submit");
  worker.begin(submit, "one ");
  const own = await gateway.stream("b", { ...steer, body });
  expect(own.response.headers.get("x-synthesis-steers")).toBeNull();
  worker.send({
    type: "ended",
    turn: submit.turn,
    seq: 2,
    end: { state: "completed", finishReason: "stop" },
  });
  await running.events.text();
  const next = await worker.next("submit");
  expect(worker.unread("steer")).toBe(0);
  worker.answer(next, "{}");
  await own.events.rest();
});
