import { randomUUID } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";
import type { AgentSettings } from "@synthesis/config";
import { EMPTY_TRANSCRIPT, type AskAnswer, type AskVerdict } from "@synthesis/protocol";
import { eventually, expectClean } from "@synthesis/testkit";
import { expect, test } from "vitest";
import { answered, asked, byPoints, goingOn } from "../support/chat.ts";
import { ASKING_PLUGIN } from "../support/asking-plugin.ts";
import { RecordedTurn } from "../support/recorded-turn.ts";
import { hashOf, testCaller, testSaid } from "../support/test-submit.ts";
import { defaultAsks } from "../support/default-asks.ts";
import { commandAgent, TestWorkspace } from "../support/test-workspace.ts";

expectClean();

const answer = (space: TestWorkspace, ask: string, verdict: AskVerdict, by: AskAnswer["by"] = "api") =>
  space.workspace.asks.answer(ask, { ...verdict, by }, testCaller);
const hear = (space: TestWorkspace, ask: string, words: string, receivedAt?: number) =>
  space.workspace.asks.hear(ask, testSaid(words, receivedAt), testCaller);
const stopped = { state: "completed", finishReason: "stop" };
const codeOf = (body: () => unknown): unknown => {
  try {
    return body();
  } catch (error) {
    return (error as { error?: { code: string } }).error?.code ?? error;
  }
};

test("W-20: an ask is part of the answer, numbered, and replayed; allowed, the turn goes on", async () => {
  await using space = await TestWorkspace.start();
  const prompt = '!ask Write {"file_path":"/etc/x"}';
  const turn = space.submit(prompt, goingOn(prompt, EMPTY_TRANSCRIPT));
  const ask = await turn.untilAsked();
  expect(ask).toMatchObject({
    turn: turn.id,
    session: "s",
    agent: "claude",
    kind: "permission",
    tool: "Write",
    title: "Write: /etc/x",
    input: '{"file_path":"/etc/x"}',
    always: [],
  });
  expect(ask.deadlineAt - (ask.toldAt ?? 0)).toBe(600_000);
  expect(turn.answer).toContain("**claude asks: may it use Write?**");
  expect(turn.answer).toContain("> `Write: /etc/x`\n> ```\n> file_path: /etc/x\n> ```\n");
  expect([space.workspace.asks.list(testCaller), space.workspace.session("s").session.state]).toEqual([
    [ask],
    "asking",
  ]);
  expect(answer(space, ask.id, { behavior: "allow" })).toEqual({ ask: ask.id, behavior: "allow", by: "api" });
  expect(await turn.outcome).toMatchObject({ state: "completed" });
  expect(turn.answer).toContain('allowed: {"updatedInput":{"file_path":"/etc/x"}}');
  expect(turn.settled).toEqual([{ ask: ask.id, behavior: "allow", by: "api" }]);
  expect(space.workspace.asks.list()).toEqual([]);
  const again = space.follow(turn.id);
  await again.outcome;
  expect([again.answer, again.asks, again.settled]).toEqual([turn.answer, turn.asks, turn.settled]);
  expect(again.numbers).toEqual(again.numbers.map((_, index) => index + 1));
  const transcript = answered(asked(prompt), turn.answer);
  expect(await space.workspace.locate(byPoints(transcript))).toMatchObject({ session: "s", isHead: true });
});

test("always hands back the suggested rules for the session, and nothing else", async () => {
  await using space = await TestWorkspace.start();
  const turn = space.submit("!ask Bash");
  const ask = await turn.untilAsked();
  expect(ask.always).toEqual(["Bash(touch:*) in this session"]);
  expect(turn.answer).toContain("`always` (Bash(touch:*) in this session)");
  answer(space, ask.id, { behavior: "always" });
  await turn.outcome;
  const rules = [{ toolName: "Bash", ruleContent: "touch:*" }];
  const updates = [{ type: "addRules", rules, behavior: "allow", destination: "session" }];
  expect(turn.answer).toContain(
    JSON.stringify({ updatedInput: { command: "touch x" }, updatedPermissions: updates }),
  );
  expect(turn.settled).toMatchObject([{ behavior: "always" }]);
});

test("always where nothing is suggested that it may be is allow", async () => {
  await using space = await TestWorkspace.start();
  const turn = space.submit("!ask Write");
  const ask = await turn.untilAsked();
  expect(turn.answer).not.toContain("`always`");
  expect(answer(space, ask.id, { behavior: "always" })).toMatchObject({ behavior: "allow" });
  await turn.outcome;
  expect(turn.answer).not.toContain("updatedPermissions");
});

test("denied, the agent hears why", async () => {
  await using space = await TestWorkspace.start();
  const turn = space.submit("!ask-twice Bash");
  answer(space, (await turn.untilAsked()).id, { behavior: "deny", message: "not on a Sunday" }, "cli");
  hear(space, (await turn.untilAsked(2)).id, "no");
  await turn.outcome;
  expect(turn.answer).toContain("denied: the user was asked and said no: not on a Sunday");
  expect(turn.answer).toContain("denied: the user was asked and said no");
  expect(turn.settled.map(({ by }) => by)).toEqual(["cli", "chat"]);
});

test("W-20: a verdict in the chat leaves a point that nobody can name; one from elsewhere leaves a name", async () => {
  await using space = await TestWorkspace.start();
  for (const [by, found] of [
    ["chat", {}],
    ["api", { session: "api", isHead: true }],
  ] as const) {
    const prompt = `!ask Write {"by":"${by}"}`;
    const turn = space.submit(prompt, { session: by, ...goingOn(prompt, EMPTY_TRANSCRIPT) });
    const { id } = await turn.untilAsked();
    if (by === "chat") hear(space, id, "yes");
    else answer(space, id, { behavior: "allow" }, by);
    await turn.outcome;
    expect(await space.workspace.locate(byPoints(answered(asked(prompt), turn.answer)))).toMatchObject(found);
    if (by === "chat")
      expect(await space.workspace.locate(byPoints(answered(asked(prompt), turn.answer)))).toEqual({});
  }
});

test("two asks at once are told one after the other; each has its own verdict, and both can be listed", async () => {
  await using space = await TestWorkspace.start();
  const turn = space.submit("!ask-both Bash");
  const first = await turn.untilAsked();
  await eventually(() => expect(space.workspace.asks.list()).toHaveLength(2));
  expect(turn.asks).toHaveLength(1);
  expect(space.workspace.asks.list().map(({ toldAt }) => toldAt)).toEqual([first.toldAt, undefined]);
  answer(space, first.id, { behavior: "allow" });
  const second = await turn.untilAsked(2);
  answer(space, second.id, { behavior: "deny", message: "second" });
  await turn.outcome;
  expect(turn.answer).toMatch(/allowed: .* and denied: .*: second$/);
});

test("one that has its verdict before it is told is never told", async () => {
  await using space = await TestWorkspace.start();
  const turn = space.submit("!ask-both Bash");
  const first = await turn.untilAsked();
  await eventually(() => expect(space.workspace.asks.list()).toHaveLength(2));
  answer(space, space.workspace.asks.list()[1]!.id, { behavior: "deny", message: "second" });
  answer(space, first.id, { behavior: "allow" });
  await turn.outcome;
  expect([turn.asks, turn.settled.map(({ ask }) => ask)]).toEqual([[first], [first.id]]);
  expect(turn.answer).toMatch(/allowed: .* and denied: .*: second$/);
});

test("a word in the chat within a second of a verdict there is not the next one; from elsewhere it is", async () => {
  await using space = await TestWorkspace.start();
  const turn = space.submit("!ask-both Bash");
  hear(space, (await turn.untilAsked()).id, "yes");
  const { id, toldAt = 0 } = await turn.untilAsked(2);
  expect(codeOf(() => hear(space, id, "yes", toldAt + 500))).toBe("ask_settled");
  answer(space, id, { behavior: "deny" }, "cli");
  await turn.outcome;
  expect(turn.settled.map(({ by }) => by)).toEqual(["chat", "cli"]);
});

test("a word that came while an ask was open, too late for it, is told to nobody", async () => {
  await using space = await TestWorkspace.start();
  const turn = space.submit("!ask Bash");
  const { id, toldAt = 0 } = await turn.untilAsked();
  const request = { caller: hashOf("another key") };
  await pause(5); // so that the words came before the verdict
  const words = ["yes", "no", "yes, and more"].map((said) => space.submit(said, { receivedAt: toldAt + 1 }));
  const stranger = space.submit("yes", { receivedAt: toldAt + 1, request });
  answer(space, id, { behavior: "allow" }, "api");
  const ends = await Promise.all(words.map(async ({ outcome }) => outcome));
  const refused = { state: "refused", error: { code: "ask_settled" } };
  expect(ends).toMatchObject([refused, refused, stopped]);
  expect(await stranger.outcome).toMatchObject(stopped);
  expect((await space.run("yes", { receivedAt: Date.now() + 1 })).answer).toMatch(/^fake: yes \(turn 4/);
});

test("W-21: the process that asked dies: a late word is no prompt, other text is one", async () => {
  await using space = await TestWorkspace.start();
  const { outcome } = await space.run("!ask-die Bash");
  expect(outcome).toMatchObject({ state: "interrupted" });
  const late = await space.run("yes");
  expect([late.outcome, late.answer]).toMatchObject([
    stopped,
    expect.stringMatching(/^That question is over \(deny, by agent\): claude is not waiting/) as string,
  ]);
  expect((await space.run("go on")).answer).toMatch(/^fake: go on/);
});

test("W-21: after a denial by deadline on which the agent said something, yes is said to that", async () => {
  await using space = await TestWorkspace.start({ asks: { deadlineMs: 50 } });
  expect((await space.run("!ask Bash")).answer).toMatch(/denied: the user was asked and did not answer/);
  expect((await space.run("yes")).answer).toMatch(/^fake: yes/);
});

test("where the chat is no way to answer, a word in it is a message like any other", async () => {
  await using space = await TestWorkspace.start({ asks: { by: ["api"] } });
  const turn = space.submit("!ask Bash");
  const { id, toldAt = 0 } = await turn.untilAsked();
  const word = space.submit("yes", { receivedAt: toldAt + 1 });
  answer(space, id, { behavior: "allow" });
  await word.outcome;
  expect(word.answer).toBe("fake: yes (turn 2 of this conversation)");
});

test("questions are part of the answer, which has a longest length", async () => {
  await using space = await TestWorkspace.start({ limits: { answerBytes: 2_000 } });
  const turn = space.submit(`!ask Write {"content":"${"x".repeat(2_000)}"}`);
  expect(await turn.outcome).toMatchObject({
    state: "failed",
    error: { message: expect.stringContaining("limits.answerBytes") as unknown },
  });
  expect([turn.asks, space.workspace.asks.list()]).toEqual([[], []]);
});

test("a turn that is cancelled is told no further question", async () => {
  await using space = await TestWorkspace.start();
  const turn = space.submit("!ask-both Bash");
  await turn.untilAsked();
  await eventually(() => expect(space.workspace.asks.list()).toHaveLength(2));
  space.workspace.cancel(turn.id, "its client left");
  await turn.outcome;
  expect([turn.asks.length, space.workspace.asks.list()]).toEqual([1, []]);
});

test("nobody answers: the deadline denies", async () => {
  await using space = await TestWorkspace.start({ asks: { deadlineMs: 1_500 } });
  const turn = space.submit("!ask Bash");
  expect(await turn.outcome).toMatchObject({ state: "completed" });
  expect(turn.settled).toMatchObject([{ behavior: "deny", by: "deadline" }]);
  expect(turn.answer).toContain("denied: the user was asked and did not answer within 1500 ms");
});

test("the client leaves: denied, and the turn is cancelled", async () => {
  await using space = await TestWorkspace.start();
  const turn = space.submit("!ask Bash");
  const ask = await turn.untilAsked();
  space.workspace.cancel(turn.id, "its client left");
  expect(await turn.outcome).toMatchObject({ state: "cancelled" });
  expect(turn.settled).toEqual([{ ask: ask.id, behavior: "deny", by: "cancelled" }]);
  expect(codeOf(() => answer(space, ask.id, { behavior: "allow" }))).toBe("ask_settled");
  expect((await space.run("hi")).answer).toBe("fake: hi (turn 2 of this conversation)");
});

test("a drain denies what is open, and what is asked then", async () => {
  await using space = await TestWorkspace.start();
  const turn = space.submit("!ask-twice Bash");
  await turn.untilAsked();
  await space.workspace.drain();
  expect(await turn.outcome).toMatchObject({ state: "completed" });
  expect(turn.settled).toMatchObject([{ behavior: "deny", by: "drain" }]);
  expect([turn.asks.length, turn.answer.match(/denied: the service is being restarted/g)?.length]).toEqual([
    1, 2,
  ]);
});

test("Claude withdraws its ask: settled so, and the turn goes on", async () => {
  await using space = await TestWorkspace.start();
  const turn = space.submit("!ask-withdrawn Bash");
  const ask = await turn.untilAsked();
  expect(await turn.outcome).toMatchObject({ state: "completed" });
  expect(turn.settled).toEqual([{ ask: ask.id, behavior: "deny", by: "agent" }]);
  expect(turn.answer).toMatch(/withdrawn$/);
});

test("Claude dies asking: settled so before the turn is interrupted", async () => {
  await using space = await TestWorkspace.start();
  const turn = space.submit("!ask-die Bash");
  await turn.untilAsked();
  expect(await turn.outcome).toMatchObject({ state: "interrupted" });
  expect(turn.settled).toMatchObject([{ behavior: "deny", by: "agent" }]);
  expect(turn.numbers).toEqual(turn.numbers.map((_, index) => index + 1));
  expect(space.workspace.asks.list()).toEqual([]);
});

test("its worker died asking: the next one settles it before the turn is interrupted", async () => {
  await using first = await TestWorkspace.start();
  const turn = first.submit("!ask Bash");
  const ask = await turn.untilAsked();
  const { folder } = first;
  await using second = await TestWorkspace.start({ folder, epoch: 2 });
  const left = second.follow(turn.id);
  expect(await left.outcome).toMatchObject({ state: "interrupted" });
  expect(left.settled).toEqual([{ ask: ask.id, behavior: "deny", by: "agent" }]);
  expect(codeOf(() => answer(second, ask.id, { behavior: "allow" }))).toBe("ask_not_found");
});

test("200 races of two verdicts: one wins each, the other hears by whom", { timeout: 60_000 }, async () => {
  await using space = await TestWorkspace.start();
  for (let round = 0; round < 200; round++) {
    const turn = space.submit("!ask Write", { session: `s${round % 4}` });
    const { id } = await turn.untilAsked();
    const verdicts: [AskVerdict["behavior"], AskAnswer["by"]][] = [
      ["allow", "api"],
      ["deny", "cli"],
    ];
    if (round % 2 === 1) verdicts.reverse();
    const came = await Promise.all(
      verdicts.map(async ([behavior, by]) => codeOf(() => answer(space, id, { behavior }, by))),
    );
    const [[behavior, by]] = verdicts as [[string, string]];
    expect(came).toEqual([{ ask: id, behavior, by }, "ask_settled"]);
    await turn.outcome;
    expect(turn.settled).toEqual([{ ask: id, behavior, by }]);
    expect(turn.answer).toContain(behavior === "allow" ? "allowed: " : "denied: ");
  }
});

test(
  "100 races of a verdict with the deadline: one of them counts, and the agent hears that one",
  { timeout: 60_000 },
  async () => {
    await using space = await TestWorkspace.start({ asks: { deadlineMs: 20 } });
    const settlers = new Set<string>();
    for (let round = 0; round < 100; round++) {
      const turn = space.submit("!ask Write");
      const { id, deadlineAt } = await turn.untilAsked();
      if (round % 10 !== 0) await pause(Math.max(0, deadlineAt - Date.now() - 3 + (round % 10)));
      const said = codeOf(() => answer(space, id, { behavior: "allow" }));
      await turn.outcome;
      const [settlement, ...more] = turn.settled;
      expect([said === "ask_settled" ? "deadline" : "api", more]).toEqual([settlement?.by, []]);
      expect(turn.answer).toContain(
        settlement?.by === "api" ? "allowed: " : "denied: the user was asked and",
      );
      settlers.add(String(settlement?.by));
    }
    expect([...settlers].toSorted()).toEqual(["api", "deadline"]);
  },
);

test("a program's tools that the configuration allows or denies are never asked about", async () => {
  const asks = { ...defaultAsks, allow: ["Read", "Look"], deny: ["Erase", "Look"] };
  const asker: AgentSettings = { ...commandAgent("-e", ASKING_PLUGIN), asks };
  await using space = await TestWorkspace.start({ agents: { asker } });
  const turn = space.submit("Read Erase Look Paint", { agent: "asker" });
  const ask = await turn.untilAsked();
  expect(ask.tool).toBe("Paint");
  answer(space, ask.id, { behavior: "deny", message: "not now" });
  await turn.outcome;
  expect(turn.asks).toHaveLength(1);
  expect(turn.answer.split("\n\n").at(-1)).toBe(
    "Read allow|Erase deny: Erase is denied to this agent (asks.deny)|Look deny: Look is denied to this agent (asks.deny)|Paint deny: the user was asked and said no: not now",
  );
});

test("after two questions in a row that nobody answered nobody is asked", async () => {
  const asks = { ...defaultAsks, deadlineMs: 100 };
  const asker = { ...commandAgent("-e", ASKING_PLUGIN), asks };
  await using space = await TestWorkspace.start({ agents: { asker } });
  const { turn } = await space.run("A B C D", { agent: "asker" });
  expect(turn.settled.map(({ by }) => by)).toEqual(["deadline", "deadline"]);
  expect(turn.answer).toMatch(/C deny: nobody answered the last 2 questions.*\|D deny: nobody answered/);
});

test("of a session that asks too much at once the newest is denied", async () => {
  const asker = commandAgent("-e", ASKING_PLUGIN);
  await using space = await TestWorkspace.start({ agents: { asker } });
  const turn = space.submit(Array.from({ length: 33 }, (_, index) => `t${index}`).join(" "), {
    agent: "asker",
  });
  await eventually(() =>
    expect(space.log.fieldsOf("ask.settled")).toMatchObject([{ behavior: "deny", by: "agent" }]),
  );
  const open = space.workspace.asks.list();
  expect([open.length, open.at(-1)?.tool]).toEqual([32, "t31"]);
  for (const { id } of open) answer(space, id, { behavior: "allow" });
  await turn.outcome;
  expect(turn.answer).toMatch(/t31 allow\|t32 deny: too much is asked at once/);
});

test("an ask is there for its own API key only, and answered only by the agent's ways", async () => {
  await using space = await TestWorkspace.start({ asks: { by: ["chat"] } });
  const turn = space.submit("!ask Bash");
  const { id } = await turn.untilAsked();
  const stranger = hashOf("another key");
  expect(space.workspace.asks.list(stranger)).toEqual([]);
  const verdict = { behavior: "allow", by: "api" } as const;
  const said = testSaid("yes");
  expect(codeOf(() => space.workspace.asks.answer(id, verdict, stranger))).toBe("ask_not_found");
  expect(codeOf(() => space.workspace.asks.hear(id, said, stranger))).toBe("ask_not_found");
  expect(codeOf(() => space.workspace.asks.find(id, stranger))).toBe("ask_not_found");
  expect(codeOf(() => answer(space, randomUUID(), verdict))).toBe("ask_not_found");
  expect(codeOf(() => answer(space, id, verdict, "api"))).toBe("ask_not_yours");
  expect(turn.settled).toEqual([]);
  expect(space.workspace.asks.hear(id, said, testCaller)).toMatchObject({ behavior: "allow", by: "chat" });
  expect(codeOf(() => space.workspace.asks.hear(id, said, stranger))).toBe("ask_not_found");
  expect(codeOf(() => space.workspace.asks.find(id, stranger))).toBe("ask_not_found");
  await turn.outcome;
});

test("a question of Claude's is answered in words, by label or by place", async () => {
  await using space = await TestWorkspace.start();
  const question = (text: string) => ({
    question: text,
    header: "H",
    multiSelect: false,
    options: [{ label: "Red", description: "warm" }, { label: "Blue" }],
  });
  const input = JSON.stringify({ questions: [question("Colour?"), question("Other?")] });
  const turn = space.submit(`!ask-twice AskUserQuestion ${input}`);
  const first = await turn.untilAsked();
  expect(first).toMatchObject({
    kind: "question",
    questions: [{ question: "Colour?", isMultiple: false }, {}],
  });
  expect(turn.answer).toContain("> Colour?\n> 1. Red: warm\n> 2. Blue");
  expect(codeOf(() => answer(space, first.id, { behavior: "allow" }))).toBe("invalid_request");
  answer(space, first.id, { behavior: "allow", message: "2\nred" });
  const second = await turn.untilAsked(2);
  expect(codeOf(() => answer(space, second.id, { behavior: "allow", message: "red" }))).toBe(
    "invalid_request",
  );
  const half = { behavior: "allow", answers: { "Other?": "green" } } as const;
  expect(codeOf(() => answer(space, second.id, half))).toBe("invalid_request");
  answer(space, second.id, { ...half, answers: { ...half.answers, "Colour?": "2" } });
  await turn.outcome;
  expect(turn.answer).toContain('"answers":{"Colour?":"Blue","Other?":"Red"}');
  expect(turn.answer).toContain('"answers":{"Colour?":"Blue","Other?":"green"}');
});

test("an answer that is to meet a schema has no question in it", async () => {
  await using space = await TestWorkspace.start({ asks: { mode: "chat" } });
  const turn = space.submit("!ask Bash", { answerSchema: { type: "object" } });
  const { id } = await turn.untilAsked();
  expect([turn.answer, turn.reasoningText.includes("claude asks")]).toEqual(["", true]);
  expect(turn.reasoningText).toContain("not here but elsewhere");
  answer(space, id, { behavior: "allow" });
  await turn.outcome;
  expect(turn.answer).not.toContain("claude asks");
});

test("bypassPermissions asks nothing; rules are Claude's own flags", async () => {
  const agent = (space: TestWorkspace) => space.configuration.agents["claude"]!;
  await using plain = await TestWorkspace.start({ asks: { allow: ["Bash(git status:*)"], deny: ["Write"] } });
  const { answer: args } = await plain.run("!argv");
  expect(JSON.parse(args)).toEqual(
    expect.arrayContaining([
      "--permission-prompt-tool=stdio",
      "--allowedTools=Bash(git status:*)",
      "--disallowedTools=Write",
    ]),
  );
  const bypass = { ...agent(plain), permissionMode: "bypassPermissions" } as const;
  await using bold = await TestWorkspace.start({ agents: { claude: bypass } });
  expect((await bold.run("!argv")).answer).not.toContain("permission-prompt-tool");
  const side = await plain.run("!argv", { session: "side", isStateless: true });
  expect(side.answer).not.toContain("permission-prompt-tool");
});

test("who follows later is told the ask that is open", async () => {
  await using space = await TestWorkspace.start();
  const turn = space.submit("!ask Bash");
  const ask = await turn.untilAsked();
  const late = new RecordedTurn(turn.id);
  space.workspace.follow(turn.id, 0, late);
  expect(await late.untilAsked()).toEqual(ask);
  answer(space, ask.id, { behavior: "allow" });
  await Promise.all([turn.outcome, late.outcome]);
  expect(late.settled).toEqual(turn.settled);
  await eventually(() => expect(space.workspace.session("s").session.state).toBe("idle"));
});
