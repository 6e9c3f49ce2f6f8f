import { EMPTY_TRANSCRIPT } from "@synthesis/protocol";
import { eventually, expectClean } from "@synthesis/testkit";
import { expect, test } from "vitest";
import { answered, asked, byPoints, say } from "../support/chat.ts";
import { hashOf, testCaller } from "../support/test-submit.ts";
import { ASKING_PLUGIN } from "../support/asking-plugin.ts";
import { commandAgent, TestWorkspace } from "../support/test-workspace.ts";

expectClean();

const aside = { session: "aside", isStateless: true, instructions: "you name chats" } as const;

test("W-17: a stateless turn has a process of its own, which is ended with it, and leaves the conversations alone", async () => {
  await using space = await TestWorkspace.start();
  const chat = await say(space, "!pid", EMPTY_TRANSCRIPT);
  const asideTurn = await space.run("!argv", aside);
  expect(asideTurn.outcome.state).toBe("completed");
  expect(asideTurn.answer).toContain("--no-session-persistence");
  await eventually(() => expect(space.exits).toEqual(["stateless"]));
  expect((await say(space, "!pid", chat.point)).answer).toBe(chat.answer);
});

test("W-17: it is never located, listed or told of, and is found by its request", async () => {
  await using space = await TestWorkspace.start();
  const { turn, answer } = await space.run("name it", aside);
  const { workspace } = space;
  const point = answered(asked("name it"), answer);
  expect(await workspace.locate(byPoints(point, asked("name it")))).toEqual({});
  expect(await workspace.locate({ session: "aside", points: [point] })).toEqual({});
  expect(await workspace.locate({ turn: turn.id, caller: testCaller })).toEqual({});
  expect([workspace.sessions(), workspace.status().sessions]).toEqual([[], 0]);
  expect(() => workspace.session("aside")).toThrow("no such session");
  expect(workspace.find(testCaller, { prompt: hashOf("name it") })).toMatchObject({ turn: turn.id });
  const joined = space.follow(turn.id);
  await joined.outcome;
  expect(joined.answer).toBe(answer);
  await eventually(() => expect(workspace.status().processes).toBe(0));
});

test("W-17: a second one remembers nothing of the first, also under the same name", async () => {
  await using space = await TestWorkspace.start();
  const pids = [];
  for (const prompt of ["!pid", "!pid"]) pids.push((await space.run(prompt, aside)).answer);
  expect(new Set(pids).size).toBe(2);
  expect((await space.run("hi", aside)).answer).toContain("turn 1 of");
  await eventually(() => expect(space.exits).toEqual(["stateless", "stateless", "stateless"]));
});

test("W-17: it waits for a place like any other, and gives it back", async () => {
  await using space = await TestWorkspace.start({ limits: { processesPerWorkspace: 1 } });
  const chat = await say(space, "one", EMPTY_TRANSCRIPT);
  expect((await space.run("name it", aside)).outcome.state).toBe("completed");
  expect((await say(space, "two", chat.point)).answer).toContain("turn 2 of");
  expect(space.exits).toEqual(["evicted", "stateless"]);
});

test("W-17: nobody is asked in it", async () => {
  const asker = commandAgent("-e", ASKING_PLUGIN);
  await using space = await TestWorkspace.start({ agents: { asker } });
  const { turn, outcome } = await space.run("Paint", { ...aside, agent: "asker" });
  expect([outcome.state, turn.asks, turn.settled]).toEqual(["completed", [], []]);
  expect(turn.answer).toMatch(/^Paint deny: /);
});
