import { expectClean } from "@synthesis/testkit";
import { expect, test } from "vitest";
import { connected, said } from "./claude-peer.ts";

expectClean();

const input = { command: "rm x" };
const suggested = {
  type: "addRules",
  rules: [{ toolName: "Bash", ruleContent: "rm:*" }],
  behavior: "allow",
  destination: "localSettings",
};
const rule = { ...suggested, destination: "session" };
const more = [
  { type: "setMode", mode: "acceptEdits", destination: "session" },
  { type: "addDirectories", directories: ["/etc"], destination: "session" },
  { ...suggested, behavior: "deny" },
];
const wanted = {
  tool: "Bash",
  input: JSON.stringify(input),
  suggestions: JSON.stringify([...more, suggested]),
};
const decided = (decision: object) => ({
  hookSpecificOutput: { hookEventName: "PermissionRequest", decision },
});

/** Claude is at a message, and its hooks are at work. */
async function prompted() {
  const world = await connected();
  world.peer.inbound("t1", "hello");
  await world.claude.notification();
  await world.claude.prompted("t1");
  await world.peer.next();
  return world;
}

test.for([
  { verdict: { behavior: "allow" }, decision: { behavior: "allow" } },
  {
    verdict: { behavior: "allow", updated_input: { command: "ls" }, suggestion: 0 },
    decision: { behavior: "allow", updatedInput: { command: "ls" }, updatedPermissions: [rule] },
  },
  { verdict: { behavior: "allow", suggestion: 7 }, decision: { behavior: "allow" } },
  {
    verdict: { behavior: "deny", message: "not now" },
    decision: { behavior: "deny", message: "not now" },
  },
])("what a hook asks becomes an ask, and the verdict $verdict its answer", async ({ verdict, decision }) => {
  await using world = await prompted();
  const answer = world.claude.hook("PermissionRequest", wanted);
  const ask = await world.peer.next();
  expect(said(ask)).toEqual({
    type: "ask",
    id: expect.any(String),
    tool: "Bash",
    input,
    suggestions: [rule],
    message_id: "t1",
  });
  world.peer.send({ type: "verdict", id: ask["id"], ...verdict });
  expect(await answer).toEqual(decided(decision));
});

test("an ask that was answered at Claude's terminal is withdrawn", async () => {
  await using world = await prompted();
  const answer = world.claude.hook("PermissionRequest", wanted);
  const { id } = await world.peer.next();
  await world.claude.hook("PostToolUse", { tool: "Bash", input: wanted.input });
  expect(said(await world.peer.next())).toEqual({ type: "ask_withdrawn", id });
  expect(await answer).toMatchObject(decided({ behavior: "deny" }));
});

test("an ask that Claude takes back is withdrawn", async () => {
  await using world = await prompted();
  const gone = new AbortController();
  const answer = world.claude.hook("PermissionRequest", wanted, gone.signal);
  const { id } = await world.peer.next();
  gone.abort();
  await expect(answer).rejects.toThrow();
  expect(said(await world.peer.next())).toEqual({ type: "ask_withdrawn", id });
});

test("two calls at once that are the same are one question, and its verdict is for both", async () => {
  await using world = await prompted();
  const answers = [
    world.claude.hook("PermissionRequest", wanted),
    world.claude.hook("PermissionRequest", wanted),
  ];
  const { id } = await world.peer.next();
  await world.claude.client.ping(); // both have arrived
  world.peer.send({ type: "verdict", id, behavior: "deny", message: "no" });
  const denial = decided({ behavior: "deny", message: "no" });
  expect(await Promise.all(answers)).toEqual([denial, denial]);
  const again = world.claude.hook("PermissionRequest", wanted);
  world.peer.send({ type: "verdict", id: (await world.peer.next())["id"], behavior: "allow" });
  expect(await again).toEqual(decided({ behavior: "allow" }));
});

test("of two calls that are the same but for what Claude suggests, each is a question", async () => {
  await using world = await prompted();
  const wider = { ...suggested, rules: [{ toolName: "Bash" }] };
  const first = world.claude.hook("PermissionRequest", wanted);
  const one = await world.peer.next();
  const second = world.claude.hook("PermissionRequest", { ...wanted, suggestions: JSON.stringify([wider]) });
  const two = await world.peer.next();
  expect([one["suggestions"], two["suggestions"]]).toEqual([[rule], [{ ...wider, destination: "session" }]]);
  world.peer.send({ type: "verdict", id: one["id"], behavior: "allow", suggestion: 0 });
  expect(await first).toEqual(decided({ behavior: "allow", updatedPermissions: [rule] }));
  // That the first is done says nothing of the second.
  await world.claude.hook("PostToolUse", { tool: "Bash", input: wanted.input });
  expect(await world.peer.rest()).toEqual([]);
  world.peer.send({ type: "verdict", id: two["id"], behavior: "allow" });
  expect(await second).toEqual(decided({ behavior: "allow" }));
});

test("of two questions for the same call, each is withdrawn when its call is taken back, and both when both are done", async () => {
  await using world = await prompted();
  const gone = new AbortController();
  const plain = { ...wanted, suggestions: "" };
  const first = world.claude.hook("PermissionRequest", wanted, gone.signal);
  const one = await world.peer.next();
  const second = world.claude.hook("PermissionRequest", plain);
  const two = await world.peer.next();
  gone.abort();
  await expect(first).rejects.toThrow();
  expect(said(await world.peer.next())).toEqual({ type: "ask_withdrawn", id: one["id"] });
  const done = { tool: "Bash", input: wanted.input };
  await world.claude.hook("PostToolUse", done);
  expect(await world.peer.rest()).toEqual([]);
  await world.claude.hook("PostToolUse", done);
  expect(said(await world.peer.next())).toEqual({ type: "ask_withdrawn", id: two["id"] });
  expect(await second).toMatchObject(decided({ behavior: "deny" }));
});

test("of two calls that are the same, one that is done or taken back leaves the question to the other", async () => {
  await using world = await prompted();
  const gone = new AbortController();
  const first = world.claude.hook("PermissionRequest", wanted, gone.signal);
  const second = world.claude.hook("PermissionRequest", wanted);
  const { id } = await world.peer.next();
  await world.claude.client.ping();
  gone.abort();
  await expect(first).rejects.toThrow();
  await world.claude.hook("PostToolUse", { tool: "Bash", input: wanted.input });
  expect(await world.peer.rest()).toEqual([]);
  await world.claude.hook("PostToolUse", { tool: "Bash", input: wanted.input });
  expect(said(await world.peer.next())).toEqual({ type: "ask_withdrawn", id });
  expect(await second).toMatchObject(decided({ behavior: "deny" }));
});

test("a call that is too long to be put to a person is denied, and says why", async () => {
  await using world = await prompted();
  const long = { ...wanted, input: JSON.stringify({ command: "x".repeat(1024 * 1024) }) };
  const answer = await world.claude.hook("PermissionRequest", long);
  expect(answer).toMatchObject(
    decided({ behavior: "deny", message: expect.stringContaining("cannot be put to a person") }),
  );
  expect(await world.peer.rest()).toEqual([]);
});

test("the end of the turn denies what is still open", async () => {
  await using world = await prompted();
  const answer = world.claude.hook("PermissionRequest", wanted);
  await world.peer.next();
  world.peer.send({ type: "cancel", message_id: "t1" });
  expect(await answer).toMatchObject(decided({ behavior: "deny" }));
});

test("what Claude wants for its owner is for its owner to decide", async () => {
  await using world = await connected();
  await world.claude.hook("UserPromptSubmit", { prompt: "clean up" });
  expect(await world.claude.hook("PermissionRequest", wanted)).toEqual({});
  expect(await world.peer.rest()).toEqual([]);
});

const channelAsk = {
  method: "notifications/claude/channel/permission_request",
  params: {
    request_id: "abcde",
    tool_name: "Bash",
    description: "Delete x",
    input_preview: '{"command":"rm x"}',
  },
};

test.for(["allow", "deny"])(
  "without hooks, what Claude asks of its channel becomes an ask, and is answered: %s",
  async (behavior) => {
    await using world = await connected();
    const { peer, claude } = world;
    peer.inbound("t1", "hello");
    await claude.notification();
    await claude.reply({ text: "let me see", final: false });
    await peer.next();
    await claude.client.notification(channelAsk);
    const ask = await peer.next();
    expect(said(ask)).toEqual({
      type: "ask",
      id: expect.any(String),
      tool: "Bash",
      title: "Delete x",
      input: { input_preview: '{"command":"rm x"}' },
      message_id: "t1",
    });
    peer.send({ type: "verdict", id: ask["id"], behavior });
    expect(await claude.notification()).toEqual({
      jsonrpc: "2.0",
      method: "notifications/claude/channel/permission",
      params: { request_id: "abcde", behavior },
    });
  },
);

test("where hooks ask, the channel does not ask a second time", async () => {
  await using world = await prompted();
  await world.claude.client.notification(channelAsk);
  await world.claude.client.ping();
  expect(await world.peer.rest()).toEqual([]);
  expect(world.claude.untaken).toEqual([]);
});
