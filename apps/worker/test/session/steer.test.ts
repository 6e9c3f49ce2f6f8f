import { randomUUID } from "node:crypto";
import { EMPTY_TRANSCRIPT } from "@synthesis/protocol";
import { expectClean } from "@synthesis/testkit";
import { expect, test } from "vitest";
import { answered, asked, byPoints, goingOn, say } from "../support/chat.ts";
import { TestWorkspace } from "../support/test-workspace.ts";

expectClean();

test("W-18: what is said within a running turn is taken up there, and told with the number before it", async () => {
  await using space = await TestWorkspace.start();
  const turn = space.submit("!tool 400", goingOn("!tool 400", EMPTY_TRANSCRIPT));
  await turn.untilText("before the tool");
  const after = await space.workspace.steer(turn.id, randomUUID(), "look left too");
  expect(await turn.outcome).toMatchObject({ state: "completed" });
  expect(turn.answer).toContain("look left too");
  const rest = space.follow(turn.id, after);
  await rest.outcome;
  expect(rest.answer).toContain("after the tool");
  expect(rest.answer).not.toContain("before the tool");
});

test("W-18: a turn in which something else was said leaves no point that anybody can name", async () => {
  await using space = await TestWorkspace.start();
  const turn = space.submit("!tool 400", goingOn("!tool 400", EMPTY_TRANSCRIPT));
  await turn.untilText("before the tool");
  expect(await space.workspace.steer(turn.id, randomUUID(), "look left too")).toBeGreaterThan(0);
  await turn.outcome;
  const prompt = asked("!tool 400");
  expect(await space.workspace.locate(byPoints(answered(prompt, turn.answer)))).toEqual({});
  expect(await space.workspace.locate(byPoints(prompt))).toMatchObject({ session: "s", isHead: false });
  expect((await space.run("hi", { needsMemory: true })).answer).toContain("turn 2 of");
});

test("W-18: a turn that is unknown, waits or is over takes nothing up", async () => {
  await using space = await TestWorkspace.start();
  const steer = (turn: string) => space.workspace.steer(turn, randomUUID(), "hello?");
  expect(await steer(randomUUID())).toBeUndefined();
  const { turn, point } = await say(space, "one", EMPTY_TRANSCRIPT);
  expect(await steer(turn.id)).toBeUndefined();
  expect((await say(space, "two", point)).answer).toBe("fake: two (turn 2 of this conversation)");
  const running = space.submit("!slow 1000 20");
  await running.untilText("w1");
  const waiting = space.submit("later");
  expect(await steer(waiting.id)).toBeUndefined();
  space.workspace.cancel(running.id, "over");
  expect((await waiting.outcome).state).toBe("completed");
});

test("a program is told one thing at a time", async () => {
  await using space = await TestWorkspace.start();
  const turn = space.submit("!hold", { agent: "seed" });
  await turn.untilAccepted();
  expect(await space.workspace.steer(turn.id, randomUUID(), "hello?")).toBeUndefined();
  space.workspace.cancel(turn.id, "over");
  await turn.outcome;
});
