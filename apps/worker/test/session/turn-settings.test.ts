import { EMPTY_TRANSCRIPT } from "@synthesis/protocol";
import { expectClean, tempFolder } from "@synthesis/testkit";
import { expect, test } from "vitest";
import { say } from "../support/chat.ts";
import { TestWorkspace } from "../support/test-workspace.ts";

expectClean();

const TOLD = "The instructions of the client are now:";
const look = { name: "look", parameters: { type: "object" } };

/** What the agent's process was told at its start, and in flags since. */
const settingsOf = async (space: TestWorkspace, point: string, options = {}) => {
  const said = await say(space, "!settings", point, options);
  const settings: { initialize: Record<string, unknown>; flags?: unknown } = JSON.parse(said.answer);
  return { ...said, ...settings };
};

test("W-19: instructions are told with the first turn, then only where they are others than those told last", async () => {
  await using space = await TestWorkspace.start();
  const [brief, long] = [{ instructions: "be brief" }, { instructions: "be long" }];
  const first = await settingsOf(space, EMPTY_TRANSCRIPT, brief);
  expect(first.initialize["appendSystemPrompt"]).toBe("be brief");
  const same = await say(space, "same", first.point, brief);
  expect(same.answer).not.toContain(TOLD);
  const none = await say(space, "none", same.point);
  expect(none.answer).not.toContain(TOLD);
  const other = await say(space, "other", none.point, long);
  expect(other.answer).toContain(`${TOLD}\n\nbe long`);
  space.workspace.evictOldest();
  const resumed = await say(space, "resumed", other.point, long);
  expect(resumed.answer).not.toContain(TOLD);
});

test("W-19: instructions of the hash that was told last are not told again, though their text is another", async () => {
  await using space = await TestWorkspace.start();
  const [hash, other] = ["a".repeat(64), "b".repeat(64)];
  const first = await say(space, "one", EMPTY_TRANSCRIPT, { instructions: "Monday", instructionsHash: hash });
  const same = await say(space, "two", first.point, { instructions: "Tuesday", instructionsHash: hash });
  expect(same.answer).not.toContain(TOLD);
  const changed = await say(space, "three", same.point, { instructions: "Tuesday", instructionsHash: other });
  expect(changed.answer).toContain(`${TOLD}\n\nTuesday`);
});

test("W-19: a branch was told what was told up to its point", async () => {
  await using space = await TestWorkspace.start();
  const [brief, long] = [{ instructions: "be brief" }, { instructions: "be long" }];
  const one = await say(space, "one", EMPTY_TRANSCRIPT, brief);
  await say(space, "two", one.point, long);
  const edited = await say(space, "better", one.point, long);
  expect(edited.answer).toContain(`${TOLD}\n\nbe long`);
  const child = await say(space, "same", one.point, { ...brief, session: "child", branchOf: "s" });
  expect(child.answer).not.toContain(TOLD);
  const anew = await settingsOf(space, EMPTY_TRANSCRIPT, long);
  expect(anew.initialize["appendSystemPrompt"]).toBe("be long");
});

test("instructions that a worker told are known to the next one", async () => {
  await using folder = await tempFolder();
  const brief = { instructions: "be brief" };
  const space = await TestWorkspace.start({ folder });
  const one = await say(space, "one", EMPTY_TRANSCRIPT, brief);
  await space.close();
  await using next = await TestWorkspace.start({ folder, epoch: 2 });
  expect((await say(next, "two", one.point, brief)).answer).not.toContain(TOLD);
});

test("the effort asked for in a turn is of that turn only", async () => {
  await using space = await TestWorkspace.start();
  const one = await settingsOf(space, EMPTY_TRANSCRIPT, { effort: "high" });
  expect(one.flags).toMatchObject({ effortLevel: "high" });
  expect((await settingsOf(space, one.point)).flags).toMatchObject({ effortLevel: null });
});

test("a turn that its process cannot run gets another one, which resumes the session; the next one too", async () => {
  await using space = await TestWorkspace.start();
  const one = await say(space, "!pid", EMPTY_TRANSCRIPT);
  const answerSchema = { type: "object", properties: { n: { type: "number" } } };
  const two = await say(space, '!answer {"n":1}', one.point, { answerSchema });
  expect(two.answer).toBe('{"n":1}');
  expect(space.exits).toEqual(["replaced"]);
  const three = await say(space, "hi", two.point, { answerSchema: structuredClone(answerSchema) });
  expect(space.exits).toEqual(["replaced"]);
  const four = await say(space, "hi", three.outcome.state === "completed" ? three.point : two.point);
  expect(space.exits).toEqual(["replaced", "replaced"]);
  expect(four.outcome.state).toBe("completed");
});

test("the functions of a turn are offered in that turn only", async () => {
  await using space = await TestWorkspace.start();
  const one = await say(space, "!functions", EMPTY_TRANSCRIPT, { tools: [look] });
  expect(JSON.parse(one.answer)).toEqual([expect.stringContaining("look")]);
  const two = await say(space, "!functions", one.point);
  expect(JSON.parse(two.answer)).toEqual([]);
});

test("a process that resumes for a turn with functions resumes where the last answer ended", async () => {
  await using space = await TestWorkspace.start();
  const one = await say(space, "one", EMPTY_TRANSCRIPT);
  const resumed = async (point: string, options = {}) => {
    space.workspace.evictOldest();
    const said = await say(space, "!argv", point, options);
    return { ...said, isAt: said.answer.includes("--resume-session-at") };
  };
  const two = await resumed(one.point, { tools: [look] });
  expect(two.isAt).toBe(true);
  const three = await resumed(two.point);
  expect(three.isAt).toBe(false);
  expect((await say(space, "hi", three.point)).answer).toContain("turn 4 of");
});
