import { rm } from "node:fs/promises";
import { eventually, expectClean } from "@synthesis/testkit";
import { expect, test } from "vitest";
import { locatedSeed, locatedSession } from "../support/test-submit.ts";
import { TestWorkspace } from "../support/test-workspace.ts";

expectClean();

const bySession = { session: "s" };
const seed = { agent: "seed" } as const;

/** Ends the process of a session's agent. */
async function evict(space: TestWorkspace): Promise<void> {
  space.workspace.evictOldest();
  await eventually(() => expect(space.workspace.status().processes).toBe(0));
}

/** A workspace whose session `s` had one turn, and whose Claude has forgotten it since. */
async function forgotten(): Promise<TestWorkspace> {
  const space = await TestWorkspace.start();
  await space.run("hi");
  await evict(space);
  await rm(space.folder.join("claude-config", "projects"), { recursive: true });
  return space;
}

test("a session of Claude's is known without a process", async () => {
  await using space = await TestWorkspace.start();
  await space.run("hi");
  await evict(space);
  expect(await space.workspace.locate(bySession)).toEqual(locatedSession);
  const { turn, answer } = await space.run("more", { needsMemory: true });
  expect([turn.reset, answer]).toEqual([undefined, "fake: more (turn 2 of this conversation)"]);
});

test("a session whose transcript is gone is located with the reason for its reset", async () => {
  await using space = await forgotten();
  expect(await space.workspace.locate(bySession)).toEqual({
    ...locatedSession,
    reset: "Claude's transcript of the session is missing",
  });
});

test("a turn that relies on a lost memory is refused with session_lost, and nothing is changed", async () => {
  await using space = await forgotten();
  const { turn, outcome } = await space.run("more", { needsMemory: true });
  const message = "Claude's transcript of the session is missing";
  expect(outcome).toEqual({ state: "refused", error: { code: "session_lost", message } });
  expect(turn.events).toEqual(["refused"]);
  expect(space.workspace.status()).toMatchObject({ processes: 0, turns: 0 });
  expect(space.log.fieldsOf("session.reset")).toEqual([]);
});

test("a turn that brings all it needs begins the session anew, and is told so", async () => {
  await using space = await forgotten();
  const { turn, answer } = await space.run("hi, and all that was");
  const why = "Claude's transcript of the session is missing";
  expect(turn.reset).toBe(why);
  expect(answer).toContain("turn 1 of this conversation");
  expect(space.log.fieldsOf("session.reset")).toEqual([{ session: "s", why }]);
  const next = await space.run("more", { needsMemory: true });
  expect(next.turn.reset).toBeUndefined();
  expect(next.answer).toContain("turn 2 of this conversation");
});

test("a turn that needs memory of a session that was never there is refused with session_lost", async () => {
  await using space = await TestWorkspace.start();
  const { outcome } = await space.run("more", { needsMemory: true });
  expect(outcome).toMatchObject({ state: "refused", error: { code: "session_lost" } });
  expect(space.workspace.status().sessions).toBe(0);
});

test("any other program remembers as long as its process lives", async () => {
  await using space = await TestWorkspace.start();
  await space.run("hi", seed);
  expect(await space.workspace.locate(bySession)).toEqual(locatedSeed);
  expect((await space.run("more", { ...seed, needsMemory: true })).outcome.state).toBe("completed");
  space.workspace.evictOldest();
  expect(space.workspace.status().processes).toBe(1); // it is being ended
  const reset = "the agent's program has ended, and its memory with it";
  expect(await space.workspace.locate(bySession)).toEqual({ ...locatedSeed, reset });
  const { outcome } = await space.run("more", { ...seed, needsMemory: true });
  expect(outcome).toEqual({ state: "refused", error: { code: "session_lost", message: reset } });
  const { turn } = await space.run("hi again", seed);
  expect(turn.reset).toBe(reset);
  expect(await space.workspace.locate(bySession)).toEqual(locatedSeed);
});
