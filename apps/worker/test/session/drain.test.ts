import { eventually, expectClean } from "@synthesis/testkit";
import { expect, test } from "vitest";
import { RecordedTurn } from "../support/recorded-turn.ts";
import { testSubmit } from "../support/test-submit.ts";
import { TestWorkspace } from "../support/test-workspace.ts";

expectClean();

const draining = { state: "refused", error: { code: "worker_draining", retryAfterMs: 1_000 } };

test("a draining workspace finishes what it accepted, and refuses what waits and what comes (W-12)", async () => {
  await using space = await TestWorkspace.start({ limits: { processesPerWorkspace: 1 } });
  const running = space.submit("!slow 20 20");
  await running.untilText("w1");
  const behind = space.submit("behind it");
  const withoutProcess = space.submit("elsewhere", { session: "other" });
  let isDrained = false;
  const drained = space.workspace.drain().then(() => (isDrained = true));
  const late = space.submit("late", { session: "late" });
  for (const turn of [behind, withoutProcess, late]) {
    expect(await turn.outcome).toMatchObject(draining);
    expect(turn.events).toEqual(["refused"]);
  }
  expect([isDrained, running.events.at(-1)?.startsWith("text:")]).toEqual([false, true]);
  await drained;
  expect(await running.outcome).toMatchObject({ state: "completed" });
  expect(running.answer).toMatch(/w20$/);
  expect([space.journaled("completed"), space.workspace.status().turns]).toEqual([[running.id], 0]);
});

test("while it drains, a turn that runs or has ended can still be followed, and submitted again", async () => {
  await using space = await TestWorkspace.start();
  const { turn: over } = await space.run("hi", { session: "over" });
  const running = space.submit("!slow 20 20");
  await running.untilText("w1");
  const drained = space.workspace.drain();
  const followed = space.follow(running.id);
  const again = new RecordedTurn(over.id);
  space.workspace.submit(testSubmit(over.id, "hi", { session: "over" }), again);
  expect(await again.outcome).toMatchObject({ state: "completed" });
  expect(again.answer).toBe(over.answer);
  await drained;
  expect(await followed.outcome).toMatchObject({ state: "completed" });
  expect(followed.answer).toBe(running.answer);
});

test("a quiet workspace is drained at once, and so is one that drains twice", async () => {
  await using space = await TestWorkspace.start();
  await space.run("hi");
  await space.workspace.drain();
  await space.workspace.drain();
  expect((await space.run("late")).outcome).toMatchObject(draining);
});

test("a drain that takes too long ends by closing", async () => {
  await using space = await TestWorkspace.start();
  const running = space.submit("!hang");
  await eventually(() => expect(space.journaled("started")).toHaveLength(1));
  const drained = space.workspace.drain();
  await space.close();
  await drained;
  expect(await running.outcome).toMatchObject({ state: "interrupted" });
});
