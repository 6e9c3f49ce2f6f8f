import { setTimeout as pause } from "node:timers/promises";
import type { AgentSettings } from "@synthesis/config";
import { expectClean } from "@synthesis/testkit";
import { expect, test } from "vitest";
import { testCaller } from "../support/test-submit.ts";
import { TestWorkspace } from "../support/test-workspace.ts";
import { defaultAsks } from "../support/default-asks.ts";

expectClean();

const agents: Readonly<Record<string, AgentSettings>> = {
  resuming: {
    driver: "headless",
    workspace: "w",
    permissionMode: "default",
    onInterrupt: "resume",
    instructions: "append",
    reasoning: "full",
    files: "link",
    asks: defaultAsks,
  },
};
const resuming = { agent: "resuming" } as const;

test("a turn that its process cut is reported as interrupted, and not run again", async () => {
  await using space = await TestWorkspace.start();
  const { turn, outcome } = await space.run("!crash-once");
  expect(outcome).toMatchObject({ state: "interrupted", error: { code: "turn_interrupted" } });
  expect([turn.answer, space.exits]).toEqual(["one two", ["exited"]]);
});

test("an agent that resumes finishes it on another process: one answer, one acceptance, one end", async () => {
  await using space = await TestWorkspace.start({ agents });
  const { turn, outcome } = await space.run("!crash-once", resuming);
  expect([outcome.state, turn.answer]).toEqual(["completed", "one two three"]);
  expect(turn.events.filter((event) => !event.startsWith("text:"))).toEqual(["accepted", "completed"]);
  expect(turn.numbers).toEqual(turn.numbers.map((_, index) => index + 1));
  expect(space.exits).toHaveLength(1);
  expect(space.log.fieldsOf("turn.ended")).toHaveLength(1);
});

test("it does so once in a turn: a second cut is its end", async () => {
  await using space = await TestWorkspace.start({ agents });
  const { outcome } = await space.run("!crash-mid", resuming);
  expect(outcome).toMatchObject({ state: "interrupted" });
  expect(space.exits).toHaveLength(2);
});

test("a prompt that its first process never read is given to another one", async () => {
  await using space = await TestWorkspace.start();
  const { outcome, answer } = await space.run("!unread-once");
  expect([outcome.state, answer]).toEqual(["completed", "fake: !unread-once (turn 1 of this conversation)"]);
  expect(space.exits).toHaveLength(1);
});

test("a prompt that no process reads fails after three of them, and no fourth one is started for it", async () => {
  await using space = await TestWorkspace.start();
  const { outcome } = await space.run("!unread");
  expect(outcome).toMatchObject({ state: "failed", error: { code: "agent_unavailable" } });
  expect([space.exits, space.workspace.status().processes]).toEqual([["exited", "exited", "exited"], 0]);
  expect((await space.run("hi")).answer).toBe("fake: hi (turn 1 of this conversation)");
});

test("a turn between two processes can be cancelled", async () => {
  await using space = await TestWorkspace.start({ limits: { processesPerWorkspace: 1 } });
  const turn = space.submit("!unread");
  await turn.untilAccepted();
  space.workspace.cancel(turn.id, "the client left");
  expect(await turn.outcome).toMatchObject({ state: "cancelled" });
  expect((await space.run("hi")).outcome.state).toBe("completed");
});

test("the model that a cut turn named is not kept for turns that name none", async () => {
  await using space = await TestWorkspace.start({ agents });
  const named = await space.run("!crash-once", { ...resuming, model: "opus" });
  expect(named.outcome.state).toBe("completed");
  const own = await space.run("!argv", resuming);
  expect(own.answer).not.toContain("--model");
  expect(space.exits).toEqual(["exited", "replaced"]);
});

test("the time that a person took is none of the turn's, on its next process either", async () => {
  await using space = await TestWorkspace.start({ agents, limits: { turnMs: 1_500 } });
  const turn = space.submit("!ask-crash-once Bash", resuming);
  const ask = await turn.untilAsked();
  await pause(1_600);
  space.workspace.asks.answer(ask.id, { behavior: "allow", by: "api" }, testCaller);
  expect(await turn.outcome).toMatchObject({ state: "completed" });
  expect(space.exits).toHaveLength(1);
});
