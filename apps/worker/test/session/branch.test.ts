import { rm } from "node:fs/promises";
import { EMPTY_TRANSCRIPT } from "@synthesis/protocol";
import { eventually, expectClean, tempFolder } from "@synthesis/testkit";
import { expect, test } from "vitest";
import { originOf } from "../../src/journal/turn-origin.ts";
import { answered, asked, byPoints, goingOn, say } from "../support/chat.ts";
import { openJournal, turnId } from "../support/test-journal.ts";
import { hashOf, locatedSeed, locatedSession, testCaller, testSubmit } from "../support/test-submit.ts";
import { TestWorkspace } from "../support/test-workspace.ts";

expectClean();

const refusedBy = (code: string) => ({ state: "refused", error: { code } });

test("a turn that follows the end of its session's transcript goes on in its process", async () => {
  await using space = await TestWorkspace.start();
  const first = await say(space, "!pid", EMPTY_TRANSCRIPT);
  const second = await say(space, "!pid", first.point);
  expect(second.answer).toBe(first.answer);
  expect((await say(space, "hi", second.point)).answer).toContain("turn 3 of");
});

test("W-14: a turn that follows an earlier point branches off there, and what came after is forgotten", async () => {
  await using space = await TestWorkspace.start();
  const one = await say(space, "one", EMPTY_TRANSCRIPT);
  const two = await say(space, "two", one.point);
  const edited = await say(space, "two, but better", one.point);
  expect([edited.turn.reset, edited.answer]).toEqual([
    undefined,
    "fake: two, but better (turn 2 of this conversation)",
  ]);
  expect(space.exits).toEqual(["replaced"]);
  expect(await space.workspace.locate(byPoints(two.point, asked("two", one.point)))).toEqual({});
  const { answer: pid, point } = await say(space, "!pid", edited.point);
  expect(await space.workspace.locate({ session: "s", points: [point, one.point] })).toEqual({
    ...locatedSession,
    point,
    isHead: true,
  });
  space.workspace.evictOldest();
  const resumed = await say(space, "!pid", point);
  expect(resumed.answer).not.toBe(pid);
  expect((await say(space, "hi", resumed.point)).answer).toContain("turn 5 of");
  expect((await say(space, "again", one.point)).answer).toContain("turn 2 of"); // a branch beside a branch
});

test("W-14: with branchOf a new session branches off another one, which goes on as it is", async () => {
  await using space = await TestWorkspace.start();
  const one = await say(space, "one", EMPTY_TRANSCRIPT);
  const running = space.submit("!slow 1000 20", goingOn("!slow 1000 20", one.point));
  await running.untilText("w1");
  const options = { session: "child", branchOf: "s" };
  const two = await say(space, "two", one.point, options);
  expect([two.outcome.state, two.answer]).toEqual(["completed", "fake: two (turn 2 of this conversation)"]);
  expect(running.events.at(-1)).toMatch(/^text:/);
  space.workspace.cancel(running.id, "over");
  await running.outcome;
  const three = await say(space, "three", two.point, { session: "child" });
  expect(three.answer).toContain("turn 3 of");
  expect((await space.run("hi")).answer).toContain("turn 3 of");
  expect(space.workspace.session("child").session.branchOf).toBe("s");
  expect(await space.workspace.locate(byPoints(three.point))).toMatchObject({ session: "child" });
  expect(await space.workspace.locate(byPoints(one.point))).toMatchObject({ session: "s", isHead: false });
});

test("W-14: a branch at what the client said drops the answer to it", async () => {
  await using space = await TestWorkspace.start();
  const one = await say(space, "one", EMPTY_TRANSCRIPT);
  const two = await say(space, "two", one.point);
  const prompt = asked("two", one.point);
  expect(await space.workspace.locate({ session: "s", points: [prompt] })).toMatchObject({ isHead: false });
  expect((await say(space, "and also", prompt)).answer).toContain("turn 3 of");
  expect(await space.workspace.locate(byPoints(two.point))).toEqual({});
});

test("W-14: a turn that follows the empty transcript begins its session anew, as its client wants", async () => {
  await using space = await TestWorkspace.start();
  const first = await say(space, "!pid", EMPTY_TRANSCRIPT);
  const anew = await say(space, "hi", EMPTY_TRANSCRIPT);
  expect([anew.turn.reset, anew.answer]).toEqual([undefined, "fake: hi (turn 1 of this conversation)"]);
  expect(space.exits).toEqual(["replaced"]);
  expect(await space.workspace.locate({ session: "s", points: [first.point] })).toEqual(locatedSession);
  expect((await say(space, "!pid", anew.point)).answer).not.toBe(first.answer);
});

test("a turn that failed without a word is no branch when it is asked again", async () => {
  await using space = await TestWorkspace.start();
  const one = await say(space, "!pid", EMPTY_TRANSCRIPT);
  const failed = await say(space, "!error 500 broken", one.point);
  expect(failed.outcome.state).toBe("failed");
  expect((await say(space, "!pid", one.point)).answer).toBe(one.answer);
  expect((await say(space, "!error 500 broken", EMPTY_TRANSCRIPT, { session: "new" })).outcome.state).toBe(
    "failed",
  );
  expect((await say(space, "hi", EMPTY_TRANSCRIPT, { session: "new" })).answer).toContain("turn 2 of");
});

test("after a cancelled turn a client goes on with what there was of its answer, or without it", async () => {
  await using space = await TestWorkspace.start();
  const { answer: pid, point } = await say(space, "!pid", EMPTY_TRANSCRIPT);
  const cut = async (after: string) => {
    const turn = space.submit("!slow 1000 20", goingOn("!slow 1000 20", after));
    await turn.untilText("w1");
    space.workspace.cancel(turn.id, "the client left");
    await turn.outcome;
    return turn.answer;
  };
  const prompt = asked("!slow 1000 20", point);
  const partial = answered(prompt, await cut(point));
  const kept = await say(space, "!pid", partial);
  expect(kept.answer).toBe(pid);
  expect((await say(space, "hi", kept.point)).answer).toContain("turn 4 of");

  const edited = await say(space, "!pid", point); // without the whole turn: a branch
  expect(edited.answer).not.toBe(pid);
  await cut(edited.point);
  const dropped = asked("!slow 1000 20", edited.point);
  expect(await space.workspace.locate(byPoints(dropped))).toMatchObject({ session: "s", isHead: true });
  expect((await say(space, "!pid", dropped)).answer).toBe(edited.answer);
});

test("a branch whose conversation is gone is refused with session_lost, and nothing is changed", async () => {
  await using space = await TestWorkspace.start();
  const one = await say(space, "one", EMPTY_TRANSCRIPT);
  const two = await say(space, "two", one.point);
  await rm(space.folder.join("claude-config", "projects"), { recursive: true });
  const branch = await say(space, "two, but better", one.point);
  expect(branch.outcome).toMatchObject(refusedBy("session_lost"));
  const other = await say(space, "x", one.point, { session: "new", branchOf: "s" });
  expect(other.outcome).toMatchObject(refusedBy("session_lost"));
  const by = { session: "s", points: [two.point] };
  expect(await space.workspace.locate(by)).toMatchObject({ point: two.point, isHead: true });
  expect(await space.workspace.locate({ session: "new" })).toEqual({});
});

test.for([true, false])(
  "a branch (needsMemory: %s) at a place that Claude does not have ends as session_lost, to be told all anew",
  async (needsMemory) => {
    await using space = await TestWorkspace.start();
    const one = await say(space, "one", EMPTY_TRANSCRIPT);
    await say(space, "two", one.point);
    const journal = openJournal(space.configuration.journalFile);
    const place = { agentSession: journal.sessions.get("s").agentSession, anchor: "gone" };
    journal.points.setPlace("s", journal.turns.idsOfSession("s")[0] ?? "", place);
    journal.close();
    const { outcome } = await say(space, "x", one.point, { needsMemory });
    expect(outcome).toMatchObject({ state: "failed", error: { code: "session_lost" } });
    const anew = await say(space, "all of it", EMPTY_TRANSCRIPT);
    expect(anew.answer).toContain("turn 1 of");
  },
);

test("a point that no session has is refused with history_changed", async () => {
  await using space = await TestWorkspace.start();
  const one = await say(space, "one", EMPTY_TRANSCRIPT);
  const changed = refusedBy("history_changed");
  expect((await say(space, "x", hashOf("other"))).outcome).toMatchObject(changed);
  expect((await say(space, "x", one.point, { session: "new" })).outcome).toMatchObject(changed);
  expect(space.workspace.status()).toMatchObject({ sessions: 1, turns: 0 });
});

test("a program that keeps no transcript goes on from its end only, and is started again for any other point", async () => {
  await using space = await TestWorkspace.start();
  const seed = { agent: "seed" };
  const one = await say(space, "one", EMPTY_TRANSCRIPT, seed);
  const two = await say(space, "two", one.point, seed);
  expect(two.outcome.state).toBe("completed");
  expect(await space.workspace.locate({ session: "s", points: [one.point] })).toEqual(locatedSeed);
  expect((await say(space, "x", one.point, seed)).outcome).toMatchObject(refusedBy("session_lost"));
  expect((await say(space, "all of it", EMPTY_TRANSCRIPT, seed)).outcome.state).toBe("completed");
  expect(space.exits).toEqual(["replaced"]);
});

test("a branch whose first process never read the prompt is begun as a branch again", async () => {
  await using space = await TestWorkspace.start();
  const one = await say(space, "one", EMPTY_TRANSCRIPT);
  await say(space, "two", one.point);
  const branch = await say(space, "!unread-once", one.point);
  expect([branch.outcome.state, branch.answer]).toEqual([
    "completed",
    "fake: !unread-once (turn 2 of this conversation)",
  ]);
  expect((await say(space, "three", branch.point)).answer).toContain("turn 3 of");
});

test("a branch that a dead worker had accepted is run by the next one", async () => {
  await using folder = await tempFolder();
  const space = await TestWorkspace.start({ folder });
  const one = await say(space, "one", EMPTY_TRANSCRIPT);
  await say(space, "two", one.point);
  await space.close();
  const journal = openJournal(folder.join("journal.sqlite"));
  const order = testSubmit(turnId(1), "better", goingOn("better", one.point));
  journal.accept(order, originOf(order, journal));
  journal.close();
  await using next = await TestWorkspace.start({ folder, epoch: 2 });
  const followed = next.follow(turnId(1));
  await followed.outcome;
  expect(followed.answer).toBe("fake: better (turn 2 of this conversation)");
});

test("a turn of an earlier answer is located by its id, for its own caller, once it is over", async () => {
  await using space = await TestWorkspace.start();
  const one = await say(space, "one", EMPTY_TRANSCRIPT);
  const running = space.submit("!slow 1000 20", goingOn("!slow 1000 20", one.point));
  await running.untilText("w1");
  const locate = (turn: string, caller = testCaller) => space.workspace.locate({ turn, caller });
  expect(await locate(one.turn.id)).toEqual({ ...locatedSession, point: one.point, isHead: false });
  expect(await locate(running.id)).toEqual(locatedSession);
  space.workspace.cancel(running.id, "over");
  await running.outcome;
  expect(await locate(running.id)).toMatchObject({ session: "s", isHead: true });
  expect(await locate(one.turn.id, hashOf("somebody else"))).toEqual({});
  expect(await locate(turnId(9))).toEqual({});
  await eventually(() => expect(space.workspace.status().turns).toBe(0));
});
