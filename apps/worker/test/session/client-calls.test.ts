import { EMPTY_TRANSCRIPT, rollAnswer, type Prompt, type ToolCallDelta } from "@synthesis/protocol";
import { expectClean } from "@synthesis/testkit";
import { expect, test } from "vitest";
import { asked, byPoints, goingOn } from "../support/chat.ts";
import type { RecordedTurn } from "../support/recorded-turn.ts";
import { locatedSession } from "../support/test-submit.ts";
import { TestWorkspace } from "../support/test-workspace.ts";

expectClean();

const tools = [{ name: "look", parameters: { type: "object" } }];
const prompt = '!call look {"at":"it"} & look {"at":"that"}';

/** The calls of a turn, put together of their pieces. */
function callsOf({ calls }: RecordedTurn) {
  const made: { id: string; name: string; arguments: string }[] = [];
  for (const { index, id = "", name = "", arguments: part } of calls as ToolCallDelta[]) {
    const call = (made[index] ??= { id: "", name: "", arguments: "" });
    made[index] = { id: call.id + id, name: call.name + name, arguments: call.arguments + part };
  }
  return made;
}

/** A session whose agent called two functions of the client's. */
async function called(space: TestWorkspace) {
  const { turn, outcome } = await space.run(prompt, { ...goingOn(prompt, EMPTY_TRANSCRIPT), tools });
  const calls = callsOf(turn);
  return { turn, outcome, calls, point: rollAnswer(asked(prompt), turn.answer, calls) };
}

function resultsOf(calls: readonly { id: string; name: string; arguments: string }[]): Prompt {
  return calls.map(({ id, ...call }, index) => ({
    type: "tool_result",
    call: id,
    ...call,
    content: [{ type: "text", text: `seen ${index}` }],
    isError: false,
  }));
}

test("W-16: calls are told in numbered pieces, end the turn, and belong to the point after it", async () => {
  await using space = await TestWorkspace.start();
  const { turn, outcome, calls, point } = await called(space);
  expect(outcome).toMatchObject({ state: "completed", finishReason: "tool_calls" });
  expect(calls.map(({ name, arguments: json }) => [name, JSON.parse(json)])).toEqual([
    ["look", { at: "it" }],
    ["look", { at: "that" }],
  ]);
  expect(turn.numbers).toEqual(turn.numbers.map((_, index) => index + 1));
  expect(await space.workspace.locate(byPoints(point))).toEqual({ ...locatedSession, point, isHead: true });
  const again = space.follow(turn.id);
  await again.outcome;
  expect([again.calls, again.numbers]).toEqual([turn.calls, turn.numbers]);
});

test("W-16: the results go on in the same process, which stayed for them", async () => {
  await using space = await TestWorkspace.start();
  const { calls, point } = await called(space);
  expect(space.workspace.status().processes).toBe(1);
  const results = space.submit("", {
    prompt: resultsOf(calls),
    tools,
    needsMemory: true,
    follows: point,
    transcript: asked("results", point),
  });
  expect(await results.outcome).toMatchObject({ state: "completed", finishReason: "stop" });
  expect(results.answer).toContain("seen 0");
  expect(results.answer).toContain("seen 1");
  expect(space.exits).toEqual([]);
});

test("results for calls whose process has ended are told as text", async () => {
  await using space = await TestWorkspace.start();
  const { calls, point } = await called(space);
  space.workspace.evictOldest();
  const results = space.submit("", {
    prompt: resultsOf(calls),
    tools,
    needsMemory: true,
    follows: point,
    transcript: asked("results", point),
  });
  expect(await results.outcome).toMatchObject({ state: "completed" });
  expect(results.answer).toContain('<function_result name="look">');
  expect(results.answer).toContain("seen 1");
});

test("a session whose calls nobody answers is ended like any idle one", async () => {
  await using space = await TestWorkspace.start({ limits: { idleMs: 50 } });
  await called(space);
  await expect.poll(() => space.exits).toEqual(["idle"]);
});

test("an exported session has the calls of its turns", async () => {
  await using space = await TestWorkspace.start();
  const { calls } = await called(space);
  const lines: { turn?: string; tool_calls?: unknown }[] = [];
  for await (const line of await space.workspace.exportSession("s")) lines.push(JSON.parse(line));
  expect(lines.find(({ turn }) => turn !== undefined)?.tool_calls).toEqual(calls);
});
