import { EMPTY_TRANSCRIPT, type AskVerdict } from "@synthesis/protocol";
import { eventually, expectClean } from "@synthesis/testkit";
import { expect, test } from "vitest";
import { byPoints, goingOn, say } from "../support/chat.ts";
import { RecordedTurn } from "../support/recorded-turn.ts";
import { hashOf, testCaller, testSubmit } from "../support/test-submit.ts";
import { TestWorkspace, type TestWorkspaceOptions } from "../support/test-workspace.ts";

expectClean();

const stopped = { state: "completed", finishReason: "stop" };

const startInChat = (options: TestWorkspaceOptions = {}) =>
  TestWorkspace.start({ ...options, asks: { mode: "chat", ...options.asks } });

function answer(space: TestWorkspace, id: string, verdict: AskVerdict): void {
  space.workspace.answerAsk(id, { ...verdict, by: "api" }, testCaller);
}

const stateOf = (space: TestWorkspace) => space.workspace.session("s").session.state;

/** A turn that has ended with an ask. */
async function askIn(space: TestWorkspace, prompt = "!ask Bash", options = {}) {
  const turn = space.submit(prompt, options);
  const opened = await turn.untilAsked();
  expect(await turn.outcome).toEqual(stopped);
  return { turn, ask: opened };
}

test("W-21: the answer ends with the question; the next message is the verdict, and the run goes on in its turn", async () => {
  await using space = await startInChat();
  const first = await say(space, "!ask Bash", EMPTY_TRANSCRIPT);
  const [opened] = first.turn.asks;
  expect(first.outcome).toEqual(stopped);
  expect(first.answer).toMatch(/^before it\n\n\*\*claude asks: may it use Bash\?\*\*/);
  expect([stateOf(space), space.workspace.status().turns]).toEqual(["asking", 0]);
  const second = await say(space, " Yes. ", first.point);
  expect(second.outcome).toMatchObject(stopped);
  expect(second.answer).toMatch(/^allowed: /);
  expect(second.turn.settled).toEqual([{ ask: opened!.id, behavior: "allow", by: "chat" }]);
  expect(first.turn.settled).toEqual([]);
  expect(space.log.fieldsOf("agent.exited")).toEqual([]);
  expect(space.journaled("completed")).toEqual([first.turn.id, second.turn.id]);
  await eventually(() => expect(stateOf(space)).toBe("idle"));
  expect(await space.workspace.locate(byPoints(second.point))).toMatchObject({ session: "s", isHead: true });
  const third = await say(space, "hi", second.point);
  expect(third.answer).toBe("fake: hi (turn 2 of this conversation)");
  expect(await space.workspace.locate(byPoints(third.point))).toMatchObject({ isHead: true });
});

test.for(["y", "ALLOW", "ok!", "yes\n\nsent from afar"])("%j allows", async (words) => {
  await using space = await startInChat();
  await askIn(space);
  const { turn } = await space.run(words);
  expect([turn.settled[0]?.behavior, turn.answer]).toEqual(["allow", expect.stringMatching(/^allowed/)]);
});

test("always, and no with a reason, one after the other", async () => {
  await using space = await startInChat();
  const { ask: first } = await askIn(space, "!ask-twice Bash");
  const { turn } = await space.run("always");
  expect(turn.settled).toEqual([{ ask: first.id, behavior: "always", by: "chat" }]);
  expect([turn.answer.includes("updatedPermissions"), turn.asks.length]).toEqual([true, 1]);
  const { turn: last } = await space.run("No, use ls instead");
  expect(last.settled).toMatchObject([{ ask: turn.asks[0]!.id, behavior: "deny" }]);
  expect(last.answer).toBe("denied: use ls instead");
});

test("the words of the user count, not the prompt that is made of them", async () => {
  await using space = await startInChat();
  await askIn(space);
  const { turn } = await space.run("[12:00] somebody: yes", { said: "yes" });
  expect(turn.settled).toMatchObject([{ behavior: "allow" }]);
});

test("any other text denies, drops the rest, and is a turn of its own", async () => {
  await using space = await startInChat();
  const { ask: opened } = await askIn(space, "!ask-slow Bash");
  const { turn, outcome } = await space.run("yes and no: what would you do?");
  expect(outcome).toMatchObject(stopped);
  expect(turn.answer).toBe("fake: yes and no: what would you do? (turn 2 of this conversation)");
  expect(turn.settled).toEqual([]);
  expect(space.log.fieldsOf("ask.settled")).toMatchObject([{ ask: opened.id, behavior: "deny", by: "chat" }]);
  expect(space.log.fieldsOf("agent.exited")).toEqual([]);
});

test("what arrived before the question is no verdict", async () => {
  await using space = await startInChat();
  const before = Date.now() - 1;
  await askIn(space);
  const { turn } = await space.run("yes", { receivedAt: before });
  expect(turn.answer).toBe("fake: yes (turn 2 of this conversation)");
  expect(space.log.fieldsOf("ask.settled")).toMatchObject([{ behavior: "deny" }]);
});

test("another caller's word, and one that goes on from elsewhere, is no verdict", async () => {
  await using space = await startInChat();
  await askIn(space);
  const { turn } = await space.run("yes", { request: { caller: hashOf("another key") } });
  expect(turn.answer).toBe("fake: yes (turn 2 of this conversation)");
  const first = await say(space, "one", EMPTY_TRANSCRIPT, { session: "edited" });
  await say(space, "!ask Bash", first.point, { session: "edited" });
  const edited = await say(space, "yes", first.point, { session: "edited" });
  expect(edited.answer).toBe("fake: yes (turn 2 of this conversation)");
  expect(space.log.fieldsOf("ask.settled").map(({ behavior }) => behavior)).toEqual(["deny", "deny"]);
});

test("a verdict from elsewhere: the run goes on, and the next answer begins with what came of it", async () => {
  await using space = await startInChat();
  const first = await say(space, "!ask Bash", EMPTY_TRANSCRIPT);
  const [opened] = first.turn.asks;
  answer(space, opened!.id, { behavior: "allow" });
  await eventually(() => expect(stateOf(space)).toBe("idle"));
  const second = await say(space, "and now?", first.point);
  expect(second.answer).toMatch(/^allowed: .*\n\nfake: and now\? \(turn 2 of this conversation\)$/s);
  expect(second.turn.settled).toEqual([{ ask: opened!.id, behavior: "allow", by: "api" }]);
  const third = await say(space, "hi", second.point);
  expect(third.answer).toBe("fake: hi (turn 3 of this conversation)");
});

test("a verdict that comes too late is no prompt: it gets the rest only", async () => {
  await using space = await startInChat();
  const { ask: opened } = await askIn(space, "!ask-slow Bash");
  answer(space, opened.id, { behavior: "deny", message: "not now" });
  const { turn, outcome } = await space.run("yes");
  expect(outcome).toMatchObject(stopped);
  expect(turn.settled).toEqual([{ ask: opened.id, behavior: "deny", by: "api" }]);
  expect(turn.answer).toMatch(/^denied: not now 1\n\n.*denied: not now 10$/s);
  expect((await space.run("hi")).answer).toBe("fake: hi (turn 2 of this conversation)");
});

test("the deadline denies; what came of it waits", async () => {
  await using space = await startInChat({ asks: { deadlineMs: 1_000 } });
  await askIn(space);
  await eventually(() => expect(stateOf(space)).toBe("idle"));
  const { turn } = await space.run("yes");
  expect(turn.answer).toMatch(/^denied: the user was asked and did not answer/);
  expect(turn.settled).toMatchObject([{ by: "deadline" }]);
});

test("a second ask that nobody was shown is not answered by a word on the first", async () => {
  await using space = await startInChat();
  const { ask: first } = await askIn(space, "!ask-twice Bash");
  answer(space, first.id, { behavior: "allow" });
  await eventually(() => expect(space.workspace.asks()).toHaveLength(1));
  const { turn, outcome } = await space.run("yes");
  expect([outcome, turn.settled.length, turn.asks.length]).toEqual([stopped, 1, 1]);
  expect(turn.answer).toMatch(/^allowed: .*claude asks: may it use Bash/s);
  const { turn: last } = await space.run("no");
  expect(last.answer).toBe("denied: the user was asked and said no");
});

test("other text while such an ask is open: told the rest, nothing is asked, then run", async () => {
  await using space = await startInChat();
  const { ask: first } = await askIn(space, "!ask-twice Bash");
  answer(space, first.id, { behavior: "allow" });
  await eventually(() => expect(space.workspace.asks()).toHaveLength(1));
  const { turn } = await space.run("and now?");
  expect(turn.asks).toEqual([]);
  expect(turn.answer).toMatch(/^allowed: .*denied: the user has gone on.*\n\nfake: and now\? \(turn 2 of/s);
});

test("two asks at once are told one after the other", async () => {
  await using space = await startInChat();
  const { turn, ask: first } = await askIn(space, "!ask-both Bash");
  expect(turn.asks).toHaveLength(1);
  await eventually(() => expect(space.workspace.asks()).toHaveLength(2));
  const { turn: second } = await space.run("yes");
  expect(second.settled).toMatchObject([{ ask: first.id, behavior: "allow" }]);
  expect(second.asks).toHaveLength(1);
  const { turn: third } = await space.run("no");
  expect(third.answer).toMatch(/^allowed: .* and denied: the user was asked and said no$/);
});

test("the process dies while it asks: settled, and the next message is a turn like any other", async () => {
  await using space = await startInChat();
  await askIn(space, "!ask-die Bash");
  await eventually(() => expect(stateOf(space)).toBe("cold"));
  expect(space.log.fieldsOf("ask.settled")).toMatchObject([{ behavior: "deny", by: "agent" }]);
  expect((await space.run("yes")).answer).toMatch(/^fake: yes/);
});

test("the worker dies while it asks: the next message is a turn like any other", async () => {
  await using first = await startInChat();
  await askIn(first);
  await first.close();
  await using second = await startInChat({ folder: first.folder, epoch: 2 });
  expect(second.workspace.asks()).toEqual([]);
  expect((await second.run("yes")).answer).toMatch(/^fake: yes/);
});

test("the client of the verdict leaves: the run is stopped", async () => {
  await using space = await startInChat();
  await askIn(space, "!ask-slow Bash");
  const turn = space.submit("yes");
  await turn.untilText("allowed");
  space.workspace.cancel(turn.id, "its client left");
  expect(await turn.outcome).toMatchObject({ state: "cancelled" });
  expect((await space.run("hi")).answer).toBe("fake: hi (turn 2 of this conversation)");
});

test("a drain denies, and waits for no run whose turn is over", async () => {
  await using space = await startInChat();
  await askIn(space);
  await space.workspace.drain();
  expect(space.log.fieldsOf("ask.settled")).toMatchObject([{ behavior: "deny", by: "drain" }]);
});

test("a session that is ended while it asks is gone with its ask", async () => {
  await using space = await startInChat();
  await askIn(space);
  await space.workspace.endSession("s");
  expect([space.workspace.asks(), space.workspace.sessions()]).toEqual([[], []]);
  expect((await space.run("yes")).answer).toBe("fake: yes (turn 1 of this conversation)");
});

test("a question is answered by what is said next, whatever that is", async () => {
  await using space = await startInChat();
  const questions = [{ question: "Colour?", options: [{ label: "Red" }, { label: "Blue" }] }];
  const prompt = `!ask-twice AskUserQuestion ${JSON.stringify({ questions })}`;
  await askIn(space, prompt);
  const { turn } = await space.run("blue");
  expect(turn.answer).toContain('"answers":{"Colour?":"Blue"}');
  const { turn: last } = await space.run("something with sea in it");
  expect(last.answer).toContain('"answers":{"Colour?":"something with sea in it"}');
});

test("a turn that goes on with another one is never resumed by the next worker", async () => {
  const resuming = await startInChat();
  const agent = { ...resuming.configuration.agents["claude"]!, onInterrupt: "resume" } as const;
  await resuming[Symbol.asyncDispose]();
  await using first = await startInChat({ agents: { claude: agent } });
  const { ask: opened } = await askIn(first, "!ask-slow Bash");
  const turn = first.submit("yes");
  await turn.untilText("allowed");
  await first.close();
  expect(await turn.outcome).toMatchObject({ state: "interrupted" });
  expect(turn.settled).toMatchObject([{ ask: opened.id }]);
});

test("a turn submitted twice is one verdict", async () => {
  await using space = await startInChat();
  await askIn(space);
  const turn = space.submit("yes");
  const again = new RecordedTurn(turn.id);
  await turn.untilAccepted();
  space.workspace.submit(testSubmit(turn.id, "yes"), again);
  await Promise.all([turn.outcome, again.outcome]);
  expect(again.answer).toBe(turn.answer);
  expect(space.log.fieldsOf("ask.settled")).toHaveLength(1);
});

test("its prompt and answer are points of the transcript; it cannot branch off between question and verdict", async () => {
  await using space = await startInChat();
  const first = await say(space, "!ask Bash", EMPTY_TRANSCRIPT);
  const second = await say(space, "yes", first.point);
  const located = (point: string) => space.workspace.locate(byPoints(point));
  expect(await located(second.point)).toMatchObject({ isHead: true });
  expect(await located(first.point)).not.toHaveProperty("point", first.point);
  const other = space.submit("no", goingOn("no", first.point));
  expect(await other.outcome).toMatchObject({ state: "refused" });
});
