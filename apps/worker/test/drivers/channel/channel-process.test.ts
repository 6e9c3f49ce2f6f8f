import { eventually, expectClean } from "@synthesis/testkit";
import { expect, test } from "vitest";
import { ChannelWorkspace } from "../../support/channel-workspace.ts";

expectClean();

const own = { agent: "own" } as const;

test("an interactive Claude answers what comes through its channel, on one process from turn to turn", async () => {
  await using channel = await ChannelWorkspace.start();
  const { space } = channel;
  expect(await space.run("hello", own)).toMatchObject({
    answer: "channel: hello",
    outcome: { state: "completed", finishReason: "stop" },
  });
  expect((await space.run("again", own)).answer).toBe("channel: again");
  expect(space.log.fieldsOf("plugin.connected")).toHaveLength(1);
});

test("a Claude that says it has no channels fails the turn, and the message names the alternative; it is not waited for", async () => {
  await using channel = await ChannelWorkspace.start({ claudeEnv: { CLAUDE_CODE_TEST_CHANNELS: "off" } });
  const { outcome } = await channel.space.run("hello", own);
  expect(outcome).toMatchObject({
    state: "failed",
    error: {
      code: "agent_unavailable",
      message: expect.stringMatching(/Channels are not currently available.*driver: headless/),
    },
  });
  expect(channel.space.exits).toEqual(["unusable"]);
});

test("P-15 a Claude that drops messages without a word is deaf, and the message names channels and the alternative", async () => {
  await using channel = await ChannelWorkspace.start({
    claudeEnv: { CLAUDE_CODE_TEST_CHANNELS: "silent" },
    limits: { seenMs: 100 },
  });
  const { outcome } = await channel.space.run("hello", own);
  expect(outcome).toMatchObject({
    state: "failed",
    error: {
      code: "agent_unavailable",
      message: expect.stringMatching(/limits\.seenMs.*has no channels.*driver: headless/),
    },
  });
  expect(channel.space.exits).toEqual(["abandoned"]);
});

test("a dialog is left to a person: the turn says which, and Claude stays for somebody to answer it", async () => {
  await using channel = await ChannelWorkspace.start({ claudeEnv: { CLAUDE_CODE_TEST_TRUST: "ask" } });
  const { space } = channel;
  for (const prompt of ["hello", "again"]) {
    expect((await space.run(prompt, own)).outcome).toMatchObject({
      state: "failed",
      error: { message: expect.stringMatching(/to be trusted.*synthesis attach --take-over s`/) },
    });
  }
  space.workspace.terminal("s").press("y");
  await eventually(() => expect(space.log.fieldsOf("plugin.connected")).toHaveLength(1));
  expect((await space.run("hello", own)).answer).toBe("channel: hello");
});

test("a Claude that ends at its start says why in the error", async () => {
  await using channel = await ChannelWorkspace.start({ claudeEnv: { CLAUDE_CODE_TEST_SETUP: "fails" } });
  expect((await channel.space.run("hello", own)).outcome).toMatchObject({
    state: "failed",
    error: { code: "agent_unavailable", message: expect.stringContaining("Unable to connect to Anthropic") },
  });
});

test("a Claude that is not there is agent_unavailable", async () => {
  await using channel = await ChannelWorkspace.start({ claudeBin: "/nowhere/claude" });
  expect((await channel.space.run("hello", own)).outcome).toMatchObject({
    state: "failed",
    error: { code: "agent_unavailable", message: expect.stringContaining("/nowhere/claude") },
  });
});

test("a Claude that ends within its turn interrupts it; the next turn starts another", async () => {
  await using channel = await ChannelWorkspace.start();
  expect((await channel.space.run("!exit", own)).outcome).toMatchObject({
    state: "interrupted",
    error: { message: expect.stringContaining("exit code 7") },
  });
  expect((await channel.space.run("hello", own)).answer).toBe("channel: hello");
});

test("a cancelled turn ends at once, and the same Claude answers the next", async () => {
  await using channel = await ChannelWorkspace.start();
  const { space } = channel;
  expect((await space.run("hello", own)).outcome.state).toBe("completed");
  const turn = space.submit("!hold", own);
  await eventually(() => expect(space.workspace.terminal("s").text).toContain("← !hold"));
  space.workspace.cancel(turn.id, "the client left");
  expect((await turn.outcome).state).toBe("cancelled");
  expect((await space.run("next", own)).answer).toBe("channel: next");
  expect(space.log.fieldsOf("plugin.connected")).toHaveLength(1);
});

const NOTICE = "▎ --channels ignored (plugin:synthesis@inline) Channels are not currently available";

test.for([
  "what does Select login method mean?",
  "README: Is this a project you created or one you trust?",
  NOTICE,
])("what a conversation says is no trouble: %s", async (words) => {
  await using channel = await ChannelWorkspace.start();
  const { space } = channel;
  const turn = space.submit(`!hold ${words}`, own);
  await eventually(() => expect(space.workspace.terminal("s").text).toContain(`← !hold ${words}`));
  space.workspace.terminal("s").press(words); // and is drawn again
  await eventually(() => expect(space.workspace.terminal("s").text).toContain(`typed: "${words}"`));
  space.workspace.cancel(turn.id, "the client left");
  expect((await turn.outcome).state).toBe("cancelled");
  expect((await space.run(words, own)).answer).toBe(`channel: ${words}`);
  expect(space.exits).toEqual([]);
});

test("once a message has reached it, nothing on its screen keeps the next ones from it", async () => {
  await using channel = await ChannelWorkspace.start();
  const { space } = channel;
  expect((await space.run("hello", own)).answer).toBe("channel: hello");
  const notice =
    "\r\n▎ --channels ignored (plugin:synthesis@inline)\r\n▎ Channels are not currently available";
  expect((await space.run(`it says:${notice}`, own)).outcome.state).toBe("completed");
  const shown = /^▎ Channels are not currently available$/m;
  await eventually(() => expect(space.workspace.terminal("s").text).toMatch(shown));
  expect((await space.run("again", own)).answer).toBe("channel: again");
  expect(space.exits).toEqual([]);
});
