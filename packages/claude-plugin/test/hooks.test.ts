import { expectClean } from "@synthesis/testkit";
import { expect, test } from "vitest";
import { connected, said } from "./claude-peer.ts";

expectClean();

/** A message that Claude has before it, and what the bridge has heard of it. */
async function prompted() {
  const world = await connected();
  world.peer.inbound("t1", "hello");
  await world.claude.notification();
  await world.claude.prompted("t1");
  expect(said(await world.peer.next())).toEqual({ type: "seen", message_id: "t1" });
  return world;
}

const stopped = { text: "That is all." };

test("an answer that Claude gives as plain text reaches the bridge with the end of its turn", async () => {
  await using world = await prompted();
  expect(await world.claude.hook("Stop", { text: "42" })).toEqual({});
  expect(said(await world.peer.next())).toEqual({ type: "turn_over", text: "42", message_id: "t1" });
});

test("after an answer by reply, the end of Claude's turn is told without its text", async () => {
  await using world = await prompted();
  const { peer, claude } = world;
  await claude.reply({ text: "42" });
  await claude.hook("Stop", stopped);
  expect((await peer.take(2)).map(said)).toEqual([
    { type: "reply", content: "42", final: true, message_id: "t1" },
    { type: "turn_over", message_id: "t1" },
  ]);
});

test("after a part of an answer, what Claude says at the end of its turn is the rest of it", async () => {
  await using world = await prompted();
  const { peer, claude } = world;
  await claude.reply({ text: "Looking.", final: false });
  await claude.hook("Stop", { text: "It is 42." });
  expect((await peer.take(3)).map(said)).toEqual([
    { type: "reply", content: "Looking.", final: false, message_id: "t1" },
    { type: "reply", content: "\n\nIt is 42.", final: true, message_id: "t1" },
    { type: "turn_over", message_id: "t1" },
  ]);
});

test("what Claude's owner types is no answer to a message that waits", async () => {
  await using world = await connected();
  const { peer, claude } = world;
  await claude.hook("UserPromptSubmit", { prompt: "do this first" });
  peer.inbound("t1", "hello");
  await claude.notification();
  await claude.hook("PreToolUse", { tool: "Bash" });
  await claude.hook("Stop", { text: "my owner's business" });
  expect(await peer.rest()).toEqual([]);
  await claude.prompted("t1");
  await claude.hook("Stop", { text: "for you" });
  expect((await peer.take(2)).map(said)).toEqual([
    { type: "seen", message_id: "t1" },
    { type: "turn_over", text: "for you", message_id: "t1" },
  ]);
});

test("what its owner types into a turn does not take the turn away from its message", async () => {
  await using world = await prompted();
  await world.claude.hook("UserPromptSubmit", { prompt: "and be brief" });
  await world.claude.hook("Stop", { text: "ok" });
  expect(said(await world.peer.next())).toEqual({ type: "turn_over", text: "ok", message_id: "t1" });
});

test("the use of a tool is progress, and reply needs no permission", async () => {
  await using world = await prompted();
  expect(await world.claude.hook("PreToolUse", { tool: "Bash" })).toEqual({});
  expect(said(await world.peer.next())).toEqual({ type: "progress", text: "[Bash]\n", message_id: "t1" });
  expect(await world.claude.hook("PreToolUse", { tool: "mcp__plugin_synthesis_bridge__reply" })).toEqual({
    hookSpecificOutput: { hookEventName: "PreToolUse", permissionDecision: "allow" },
  });
});

test("a failure of Claude's fails the turn", async () => {
  await using world = await prompted();
  const failure = { error: "overloaded", details: "", text: "API Error: 529" };
  await world.claude.hook("StopFailure", failure);
  expect((await world.peer.take(2)).map(said)).toEqual([
    { type: "failure", message: "API Error: 529: overloaded", message_id: "t1" },
    { type: "turn_over", message_id: "t1" },
  ]);
});

test("a cancelled Claude is stopped at its next tool, and then is at rest", async () => {
  await using world = await prompted();
  const { peer, claude } = world;
  peer.send({ type: "cancel", message_id: "t1" });
  expect(said(await peer.next())).toEqual({ type: "cancelled", message_id: "t1" });
  expect(await claude.hook("PreToolUse", { tool: "Bash" })).toMatchObject({
    continue: false,
    hookSpecificOutput: { permissionDecision: "deny" },
  });
  expect(said(await peer.next())).toEqual({ type: "turn_over", message_id: "t1" });
});

test("a Claude that is still at a cancelled message answers no later one", async () => {
  await using world = await prompted();
  const { peer, claude } = world;
  peer.send({ type: "cancel", message_id: "t1" });
  await peer.next();
  peer.inbound("t2", "another");
  await claude.notification();
  expect(await claude.reply({ text: "late" })).toMatchObject({ isError: true });
  await claude.hook("Stop", { text: "late" });
  expect((await peer.rest()).filter(({ message_id }) => message_id === "t2")).toEqual([]);
  await claude.prompted("t2");
  expect(await claude.reply({ text: "in time" })).toMatchObject({ content: [{ text: "sent" }] });
});

test("an event that cannot be read is refused, and Claude goes on", async () => {
  await using world = await prompted();
  const bad = { name: "hook", arguments: { event: "PostToolUse", tool: "Bash", input: "{" } };
  expect(await world.claude.client.callTool(bad)).toMatchObject({ isError: true });
  await world.claude.hook("Stop", { text: "ok" });
  expect(said(await world.peer.next())).toMatchObject({ type: "turn_over" });
});
