import { readFile } from "node:fs/promises";
import { afterEach, beforeEach, expect, test } from "vitest";
import { eventually, expectClean } from "@synthesis/testkit";
import { ended } from "../support/fake-worker.ts";
import { clawKey, RunningGateway, type ChatOptions } from "../support/running-gateway.ts";

expectClean();

let gateway: RunningGateway;
beforeEach(async () => {
  gateway = await RunningGateway.start();
});
afterEach(async () => gateway.close());

const retry = { headers: { "x-stainless-retry-count": "1" } };
const answerOf = (content: string) => ({ choices: [{ message: { content } }] });

/** A request whose client leaves when its turn was handed over; the turn's order. */
async function abandoned(body: string | object, options: ChatOptions = {}) {
  const leaving = new AbortController();
  const left = gateway.chat(body, { ...options, signal: leaving.signal }).catch(() => {});
  const submit = await gateway.worker.next("submit");
  const { turns } = gateway;
  leaving.abort();
  await left;
  const { caller, body: hash } = submit.request;
  await eventually(() => expect(turns.find(caller, { body: hash })).toBeDefined());
  return submit;
}

/** Asks, and tells which turn the worker is handed for it, once it has answered. */
async function newTurn(body: string | object, options: ChatOptions): Promise<string> {
  const asked = gateway.chat(body, options);
  const submit = await gateway.worker.next("submit");
  gateway.worker.answer(submit, "new");
  expect(await (await asked).json()).toMatchObject(answerOf("new"));
  return submit.turn;
}

test("an SDK's retry joins the turn whose client left, which then is not cancelled", async () => {
  await gateway.close();
  gateway = await RunningGateway.start({ limits: { vanishedMs: 150 } });
  const { worker, turns } = gateway;
  const submit = await abandoned("a");
  const { caller, body } = submit.request;
  const again = gateway.chat("a", retry);
  await eventually(() => expect(turns.find(caller, { body })).toBeUndefined());
  const later = await abandoned("later");
  expect(await worker.next("cancel_turn")).toMatchObject({ turn: later.turn });
  worker.answer(later, "L");
  worker.answer(submit, "A");
  expect(await (await again).json()).toMatchObject(answerOf("A"));
  expect(worker.unread("submit") + worker.unread("cancel_turn")).toBe(0);
});

test("an SDK's retry never joins a turn whose client is there", async () => {
  const { worker } = gateway;
  const first = gateway.chat("a");
  const submit = await worker.next("submit");
  expect(await newTurn("a", retry)).not.toBe(submit.turn);
  worker.answer(submit, "A");
  expect(await (await first).json()).toMatchObject(answerOf("A"));
});

test.for<[title: string, body: string, options: ChatOptions]>([
  ["that is no retry", "a", {}],
  ["that counts no retry", "a", { headers: { "x-stainless-retry-count": "0" } }],
  ["with another body", "b", retry],
  ["of another API key", "a", { ...retry, key: clawKey }],
  ["of another session", "a", { headers: { ...retry.headers, "x-openclaw-session-key": "other" } }],
])("a request %s joins nothing", async ([, body, options]) => {
  const submit = await abandoned("a");
  expect(await newTurn(body, options)).not.toBe(submit.turn);
  gateway.worker.answer(submit, "A");
});

test("a retry does not join a turn that is being cancelled", async () => {
  await gateway.close();
  gateway = await RunningGateway.start({ limits: { vanishedMs: 10 } });
  const leaving = new AbortController();
  const left = gateway.chat("a", { signal: leaving.signal }).catch(() => {});
  const submit = await gateway.worker.next("submit");
  leaving.abort();
  await left;
  await gateway.worker.next("cancel_turn");
  expect(await newTurn("a", retry)).not.toBe(submit.turn);
  gateway.worker.answer(submit, "A");
});

test("after a restart of the gateway a retry joins the turn that the worker gives for its body", async () => {
  const { worker } = gateway;
  const submit = await abandoned("a");
  worker.begin(submit, "A");
  await gateway.restart();
  worker.find = (frame) => worker.said.find(frame);
  const again = gateway.chat("a", retry);
  await worker.next("follow");
  worker.answer(submit, "A");
  expect(await (await again).json()).toMatchObject(answerOf("A"));
  expect(worker.unread("submit")).toBe(0);
});

// What OpenClaw 2026.9.6 sent when an answer was cut, and before.
const line = "Runtime: agent=main | session=agent:main:main | host=myhost | shell=bash";
const claw = { key: clawKey };
const original = (session = "agent:main:main") => ({
  messages: [
    { role: "system", content: "You are a personal assistant running inside OpenClaw." },
    {
      role: "user",
      content: `[Sun 2026-11-22 11:08 UTC] hi cut\n\n${line.replace("agent:main:main", session)}`,
    },
  ],
});
const sample = new URL("openclaw-retry.json", import.meta.url);
const retried = async () => JSON.parse(await readFile(sample, "utf8")) as object;

test("OpenClaw's request to continue joins the turn whose prompt it repeats", async () => {
  const submit = await abandoned(original(), claw);
  const again = gateway.chat(await retried(), claw);
  const { caller, prompt } = submit.request;
  await eventually(() => expect(gateway.turns.find(caller, { prompt })).toBeUndefined());
  gateway.worker.answer(submit, "A");
  expect(await (await again).json()).toMatchObject(answerOf("A"));
  expect(gateway.worker.unread("submit") + gateway.worker.unread("cancel_turn")).toBe(0);
});

test("OpenClaw's request to continue joins no turn of another session", async () => {
  const submit = await abandoned(original("agent:main:telegram"), claw);
  expect(await newTurn(await retried(), claw)).not.toBe(submit.turn);
  gateway.worker.answer(submit, "A");
});

test("OpenClaw's request to continue joins nothing where nothing names its session", async () => {
  const unnamed = (body: object) =>
    JSON.parse(JSON.stringify(body).replace(/\\n\\nRuntime: [^"]*/, "")) as object;
  const asked: string[] = [];
  gateway.worker.find = ({ by }) => void asked.push(...Object.keys(by));
  const submit = await abandoned(unnamed(original()), claw);
  expect(await newTurn(unnamed(await retried()), claw)).not.toBe(submit.turn);
  expect(asked).toEqual([]);
  gateway.worker.answer(submit, "A");
});

test("OpenClaw's words mean nothing from an API key that is not OpenClaw's: the turn before gives way", async () => {
  const { worker } = gateway;
  const named = { headers: { "x-openclaw-session-key": "k" } };
  const { turn } = await abandoned("hi cut", named);
  const words = "hi cut\n\nContinue the current task from the existing transcript";
  const again = gateway.chat(words, named);
  expect(await worker.next("cancel_turn")).toMatchObject({ turn });
  const error = { code: "turn_cancelled", message: "the client left" } as const;
  worker.send(ended(turn, 1, { state: "cancelled", error }));
  const submit = await worker.next("submit");
  expect(submit.prompt).toBe(words);
  worker.answer(submit, "A");
  expect(await (await again).json()).toMatchObject(answerOf("A"));
});
