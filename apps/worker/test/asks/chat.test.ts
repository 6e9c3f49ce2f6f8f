import { randomUUID } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";
import { EMPTY_TRANSCRIPT, type AskVerdict } from "@synthesis/protocol";
import { eventually, expectClean } from "@synthesis/testkit";
import { expect, test } from "vitest";
import { byPoints, goingOn, say } from "../support/chat.ts";
import { RecordedTurn } from "../support/recorded-turn.ts";
import { hashOf, testCaller, testSubmit } from "../support/test-submit.ts";
import { TestWorkspace, type SubmitOptions, type TestWorkspaceOptions } from "../support/test-workspace.ts";

expectClean();

const stopped = { state: "completed", finishReason: "stop" };

const startInChat = (options: TestWorkspaceOptions = {}) =>
  TestWorkspace.start({ ...options, asks: { mode: "chat", ...options.asks } });

function answer(space: TestWorkspace, id: string, verdict: AskVerdict): void {
  space.workspace.asks.answer(id, { ...verdict, by: "api" }, testCaller);
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

test("with mode hold an answer that its client reads whole ends with the question too; one that meets a schema cannot", async () => {
  await using space = await TestWorkspace.start();
  const { ask } = await askIn(space, "!ask Bash", { isReadWhole: true });
  expect(stateOf(space)).toBe("asking");
  const { turn, outcome } = await space.run("yes", { isReadWhole: true });
  expect([outcome, turn.answer]).toEqual([
    expect.objectContaining(stopped),
    expect.stringMatching(/^allowed/),
  ]);
  expect(turn.settled).toEqual([{ ask: ask.id, behavior: "allow", by: "chat" }]);
  const held = space.submit("!ask Bash", { isReadWhole: true, answerSchema: { type: "object" } });
  const { id } = await held.untilAsked();
  answer(space, id, { behavior: "deny" });
  await held.outcome;
  expect(held.settled).toMatchObject([{ ask: id, by: "api" }]);
});

test("an answer that is read whole is held where the chat cannot give the verdict", async () => {
  await using space = await TestWorkspace.start({ asks: { by: ["api"] } });
  const turn = space.submit("!ask Bash", { isReadWhole: true });
  const { id } = await turn.untilAsked();
  expect(stateOf(space)).toBe("asking");
  answer(space, id, { behavior: "allow" });
  await turn.outcome;
  expect(turn.settled).toMatchObject([{ ask: id, by: "api" }]);
});

test.for(["y", "ALLOW", "ok!"])("%j allows", async (words) => {
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
  expect(last.answer).toBe("denied: the user was asked and said no: use ls instead");
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

test("what arrived before a second question was told is no verdict on it", async () => {
  await using space = await startInChat();
  await askIn(space, "!ask-both Bash");
  await eventually(() => expect(space.workspace.asks.list()).toHaveLength(2));
  await pause(5);
  const between = Date.now();
  await pause(5);
  expect((await space.run("yes")).turn.asks).toHaveLength(1);
  const { turn } = await space.run("yes", { receivedAt: between });
  expect([turn.settled, turn.answer]).toEqual([
    [],
    expect.stringMatching(/^Too late: that question has its/),
  ]);
  expect((await space.run("no")).answer).toMatch(/^allowed: .* and denied: the user was asked and said no$/);
});

test("a word that came while an ask was open, and is not its verdict, is told to nobody: a double tap", async () => {
  await using space = await startInChat();
  const { ask: opened } = await askIn(space, "!ask-twice Bash");
  const receivedAt = (opened.toldAt ?? 0) + 1;
  const words = ["yes", "yes", "No."].map((said) => space.submit(said, { receivedAt }));
  await Promise.all(words.map(async ({ outcome }) => outcome));
  const soon = await space.run("yes", { receivedAt: (words[0]!.asks[0]?.toldAt ?? 0) + 1 });
  expect([...words.slice(1), soon.turn].map((turn) => turn.answer)).toEqual(
    Array.from({ length: 3 }, () => expect.stringMatching(/^Too late: .*allow, by chat\)/) as string),
  );
  expect(stateOf(space)).toBe("asking");
  const { answer: last } = await space.run("no", { receivedAt: Date.now() + 1_500 });
  expect(last).toBe("denied: the user was asked and said no");
  const { answer: next } = await space.run("yes", { receivedAt: Date.now() + 5_000 });
  expect(next).toBe("fake: yes (turn 2 of this conversation)");
});

test("the deadline of a question counts from when it is told", async () => {
  await using space = await startInChat({ asks: { deadlineMs: 60_000 } });
  await askIn(space, "!ask-both Bash");
  await eventually(() => expect(space.workspace.asks.list()).toHaveLength(2));
  await pause(50);
  const { turn } = await space.run("yes");
  const { askedAt, toldAt = 0, deadlineAt } = turn.asks[0]!;
  expect([deadlineAt - toldAt, toldAt - askedAt >= 40]).toEqual([60_000, true]);
  expect(turn.answer).toContain("within 60 seconds");
  expect(space.workspace.asks.list()).toEqual(turn.asks);
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
  expect(second.answer).toMatch(/^allowed: .*[^\n]\n\nfake: and now\? \(turn 2 of this conversation\)$/s);
  expect(second.turn.reasoningText).not.toContain("resumed");
  expect(second.turn.settled).toEqual([{ ask: opened!.id, behavior: "allow", by: "api" }]);
  const third = await say(space, "hi", second.point);
  expect(third.answer).toBe("fake: hi (turn 3 of this conversation)");
});

test("a message that waits for a rest longer than limits.queueMs still gets its place", async () => {
  await using space = await startInChat({ limits: { queueMs: 300 } });
  const { ask: opened } = await askIn(space, "!ask-slow Bash");
  answer(space, opened.id, { behavior: "allow" });
  const { turn, outcome } = await space.run("and now?");
  expect(outcome).toMatchObject(stopped);
  expect(turn.answer).toMatch(/ 10\n\nfake: and now\? \(turn 2 of this conversation\)$/);
});

test("a denial with a reason that comes too late is told to the agent", async () => {
  await using space = await startInChat();
  const { ask: opened } = await askIn(space);
  answer(space, opened.id, { behavior: "allow" });
  const { turn } = await space.run("no, use ls instead");
  expect(turn.answer).toMatch(/^allowed: .*\n\nfake: no, use ls instead \(turn 2 of/s);
});

test("a verdict that comes too late is no prompt: it gets the rest only", async () => {
  await using space = await startInChat();
  const { ask: opened } = await askIn(space, "!ask-slow Bash");
  answer(space, opened.id, { behavior: "deny", message: "not now" });
  const { turn, outcome } = await space.run("yes");
  expect(outcome).toMatchObject(stopped);
  expect(turn.settled).toEqual([{ ask: opened.id, behavior: "deny", by: "api" }]);
  expect(turn.answer).toMatch(/^denied: [^:]*: not now 1\n\n.*denied: [^:]*: not now 10$/s);
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
  await eventually(() => expect(space.workspace.asks.list()).toHaveLength(1));
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
  await eventually(() => expect(space.workspace.asks.list()).toHaveLength(1));
  const { turn } = await space.run("and now?");
  expect(turn.asks).toEqual([]);
  expect(turn.answer).toMatch(/^allowed: .*denied: the user has gone on.*\n\nfake: and now\? \(turn 2 of/s);
});

test("two asks at once are told one after the other", async () => {
  await using space = await startInChat();
  const { turn, ask: first } = await askIn(space, "!ask-both Bash");
  expect(turn.asks).toHaveLength(1);
  await eventually(() => expect(space.workspace.asks.list()).toHaveLength(2));
  const { turn: second } = await space.run("yes");
  expect(second.settled).toMatchObject([{ ask: first.id, behavior: "allow" }]);
  expect(second.asks).toHaveLength(1);
  const { turn: third } = await space.run("no");
  expect(third.answer).toMatch(/^allowed: .* and denied: the user was asked and said no$/);
});

/** A session whose last answer ends with a question that nothing of its run is left of. */
const LOST: Readonly<Record<string, (space: TestWorkspace) => Promise<void>>> = {
  "its process died": async (space) => {
    await askIn(space, "!ask-die Bash");
    await eventually(() => expect(stateOf(space)).toBe("cold"));
    expect(space.log.fieldsOf("ask.settled")).toMatchObject([{ behavior: "deny", by: "agent" }]);
  },
  "its process was evicted": async (space) => {
    await askIn(space);
    await space.run("hi", { session: "another" });
    expect(stateOf(space)).toBe("cold");
  },
};

test.for(Object.keys(LOST))("W-21: %s: a late word is no prompt, other text is one", async (how) => {
  await using space = await startInChat({ limits: { processesPerWorkspace: 1, queueMs: 2_000 } });
  await LOST[how]!(space);
  const late = await space.run("Yes!");
  expect(late.outcome).toEqual(stopped);
  expect(late.answer).toMatch(/^That question is over \(deny, by agent\): claude is not waiting/);
  expect((await space.run("yes")).answer).toMatch(/^fake: yes \(turn 2 of/);
});

test("W-21: the worker dies while it asks: a late word is no prompt, and is a point of the transcript", async () => {
  await using first = await startInChat();
  const { point } = await say(first, "!ask Bash", EMPTY_TRANSCRIPT);
  await first.workspace.drain();
  await first.close();
  await using second = await startInChat({ folder: first.folder, epoch: 2 });
  expect(second.workspace.asks.list()).toEqual([]);
  const late = await say(second, "yes", point);
  expect([late.outcome, late.turn.settled]).toEqual([stopped, []]);
  expect(late.answer).toMatch(/^That question is over: claude is not waiting/);
  expect(second.workspace.status().processes).toBe(0);
  expect(await second.workspace.locate(byPoints(late.point))).toMatchObject({ isHead: true });
  expect((await say(second, "yes", late.point)).answer).toBe("fake: yes (turn 2 of this conversation)");
});

test("W-21: allowed elsewhere, then its process is evicted: a late word hears of that", async () => {
  await using space = await startInChat();
  const { ask: opened } = await askIn(space);
  answer(space, opened.id, { behavior: "allow" });
  await eventually(() => expect(stateOf(space)).toBe("idle"));
  space.workspace.evictOldest();
  await eventually(() => expect(space.log.fieldsOf("session.rest_dropped")).toHaveLength(1));
  expect((await space.run("yes")).answer).toMatch(/^That question is over \(allow, by api\): claude/);
});

test.for<[what: string, prompt: string, options: SubmitOptions]>([
  ["other text", "yes and no", {}],
  ["a reason", "no, use ls instead", {}],
  ["another caller's word", "yes", { request: { caller: hashOf("another key") } }],
  ["a word from before the question", "yes", { receivedAt: 1 }],
])("W-21: of a question that is over, %s is a prompt", async ([, prompt, options]) => {
  await using first = await startInChat();
  await askIn(first);
  await first.close();
  await using second = await startInChat({ folder: first.folder, epoch: 2 });
  expect((await second.run(prompt, options)).answer).toBe(`fake: ${prompt} (turn 2 of this conversation)`);
});

test("W-21: of a question that is over, a word that goes on from an earlier point is a prompt", async () => {
  await using space = await startInChat();
  const { point } = await say(space, "one", EMPTY_TRANSCRIPT);
  await say(space, "!ask-die Bash", point);
  await eventually(() => expect(stateOf(space)).toBe("cold"));
  expect((await say(space, "yes", point)).answer).toBe("fake: yes (turn 2 of this conversation)");
});

test("a question that nobody answers gives its place to whoever needs it", async () => {
  await using space = await startInChat({ limits: { processesPerWorkspace: 1, queueMs: 2_000 } });
  const { ask: opened } = await askIn(space);
  expect((await space.run("hi", { session: "another" })).answer).toMatch(/^fake: hi/);
  expect(space.log.fieldsOf("ask.settled")).toMatchObject([
    { ask: opened.id, behavior: "deny", by: "agent" },
  ]);
  expect([space.exits, stateOf(space)]).toEqual([["evicted"], "cold"]);
});

test("while others wait for its place a person has a while to answer", async () => {
  await using space = await startInChat({ limits: { processesPerWorkspace: 1 } });
  await askIn(space);
  const other = space.submit("hi", { session: "another" });
  await pause(300);
  expect((await space.run("yes")).answer).toMatch(/^allowed: /);
  expect(await other.outcome).toMatchObject(stopped);
});

test("where memory is short a person has a while to answer too, and an idle process goes first", async () => {
  await using space = await startInChat({ limits: { queueMs: 60_000 } });
  const { ask: opened } = await askIn(space);
  expect(space.workspace.status()).toMatchObject({ processes: 1 });
  expect(space.workspace.status().oldestIdleAt).toBeUndefined();
  space.workspace.evictOldest();
  expect(space.workspace.asks.list()).toMatchObject([{ id: opened.id }]);
  await space.run("hi", { session: "idle" });
  expect(space.workspace.status().oldestIdleAt).toBeGreaterThan(opened.toldAt ?? Infinity);
  space.workspace.evictOldest();
  await eventually(() => expect(space.workspace.session("idle").session.state).toBe("cold"));
  space.workspace.evictOldest();
  expect((await space.run("yes")).answer).toMatch(/^allowed: /);
});

test("where memory is short and its time is over, what waits for a person is ended", async () => {
  await using space = await startInChat({ limits: { queueMs: 1_000 } });
  const { ask: opened } = await askIn(space);
  await eventually(() => expect(space.workspace.status().oldestAskingAt).toBe(opened.toldAt));
  space.workspace.evictOldest();
  await eventually(() => expect(stateOf(space)).toBe("cold"));
  expect(space.log.fieldsOf("ask.settled")).toMatchObject([{ behavior: "deny", by: "agent" }]);
});

test("an idle process goes before one that waits for a person; a turn on its way keeps it", async () => {
  await using space = await startInChat({ limits: { processesPerWorkspace: 2 } });
  await askIn(space);
  await space.run("hi", { session: "idle" });
  await space.run("hi", { session: "another" });
  expect([stateOf(space), space.workspace.session("idle").session.state]).toEqual(["asking", "cold"]);
  expect(space.workspace.status().oldestIdleAt).toBeTypeOf("number");
  expect((await space.run("yes")).answer).toMatch(/^allowed: /);
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

test("W-22: what was said within the turn is taken back when that ends with a question", async () => {
  await using space = await startInChat();
  const turn = space.submit("!ask-late Bash");
  await turn.untilText("wait for it");
  const steered = space.workspace.steer(turn.id, randomUUID(), "look left too");
  expect(await turn.outcome).toEqual(stopped);
  expect(await steered).toBeUndefined();
  expect(space.workspace.asks.list()).toHaveLength(1);
  const { turn: rest } = await space.run("yes");
  expect(rest.answer).toMatch(/^allowed: [^]*\}$/);
  expect((await space.run("look left too")).answer).toBe("fake: look left too (turn 2 of this conversation)");
});

test("what is taken up beside the question all the same is not said again", async () => {
  await using space = await startInChat();
  const turn = space.submit("!ask-beside Bash");
  await turn.untilText("wait for it");
  const after = await space.workspace.steer(turn.id, randomUUID(), "look left too");
  const told = space.follow(turn.id, after);
  expect([await told.outcome, told.answer]).toEqual([stopped, ""]);
  expect((await space.run("yes")).answer).toMatch(/^allowed: .*, and to: look left too$/);
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
  expect([space.workspace.asks.list(), space.workspace.sessions()]).toEqual([[], []]);
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

test("of what is sent while it asks, the first is the verdict, and the rest waits for its turn", async () => {
  await using space = await startInChat();
  await askIn(space);
  const [verdict, second, third] = ["yes", "yes", "and then?"].map((words) => space.submit(words));
  expect(await third!.outcome).toMatchObject(stopped);
  expect(verdict!.answer).toMatch(/^allowed: /);
  expect([second!.answer, third!.answer]).toEqual([
    "fake: yes (turn 2 of this conversation)",
    "fake: and then? (turn 3 of this conversation)",
  ]);
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

test("of several questions, one line is no answer: they are asked again, and answered by a line for each", async () => {
  await using space = await startInChat();
  const question = (text: string) => ({ question: text, multiSelect: false, options: [{ label: "Red" }] });
  const input = JSON.stringify({ questions: [question("Colour?"), question("Other?")] });
  const first = await say(space, `!ask AskUserQuestion ${input}`, EMPTY_TRANSCRIPT);
  expect(first.answer).toContain("with one line for each question");
  const again = await say(space, "red", first.point);
  expect([again.outcome, stateOf(space), again.turn.settled]).toEqual([stopped, "asking", []]);
  const [question1, question2] = [first, again].map(({ answer: text }) =>
    text.slice(text.indexOf("**claude")),
  );
  expect(question2).toBe(question1);
  expect(again.turn.asks.map(({ id }) => id)).toEqual(first.turn.asks.map(({ id }) => id));
  const last = await say(space, "red\nblue", again.point);
  expect(last.answer).toContain('"answers":{"Colour?":"Red","Other?":"blue"}');
  expect(last.turn.settled).toMatchObject([{ behavior: "allow", by: "chat" }]);
  expect(space.log.fieldsOf("agent.exited")).toEqual([]);
});

test("a turn that ended with its question is cancelled: it is denied, and its run stops", async () => {
  await using space = await startInChat();
  const { turn, ask } = await askIn(space, "!ask-twice Bash");
  space.workspace.cancel(randomUUID(), "another one");
  expect(space.workspace.asks.list()).toHaveLength(1);
  space.workspace.cancel(turn.id, "asked to by DELETE");
  expect(space.workspace.asks.list()).toEqual([]);
  expect(() => space.workspace.asks.find(ask.id)).toThrow("the ask has its verdict: deny, by cancelled");
  await eventually(() => expect(stateOf(space)).not.toBe("running"));
  expect(await turn.outcome).toEqual(stopped);
  const next = await space.run("hi");
  expect([next.turn.asks, next.turn.answer]).toEqual([[], expect.stringMatching(/fake: hi/)]);
});
