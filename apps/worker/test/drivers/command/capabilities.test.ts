import { eventually, expectClean } from "@synthesis/testkit";
import { expect, test } from "vitest";
import type { Peer } from "../../support/peer.ts";
import { PluginRig } from "../../support/plugin-rig.ts";

expectClean();

const completed = { state: "completed", finishReason: "stop" };
const numbering = { protocol: 1, capabilities: ["seq"] };

/** What was sent before has been handled when this resolves, and what came of it is here. */
async function settled(peer: Peer): Promise<void> {
  const pongs = peer.frames.filter(({ type }) => type === "pong").length;
  peer.send({ type: "ping" });
  await peer.next("pong", pongs + 1);
}

const typesOf = (peer: Peer) => peer.frames.map(({ type }) => type).filter((type) => type !== "pong");

test("P-13 numbered frames are taken once each and acknowledged; the frames of one loop turn by one ack", async () => {
  await using rig = await PluginRig.start();
  await using peer = await rig.connect(numbering);
  const { id, events, end } = rig.run("hi");
  await peer.next("inbound");
  const part = (seq: number) => ({ type: "reply", content: `${seq}`, final: false, message_id: id, seq });
  peer.send([part(1), part(2), part(1), part(2), part(3)]);
  expect(await peer.next("ack")).toEqual({ type: "ack", message_id: id, seq: 3 });
  peer.send(part(2));
  expect(await peer.next("ack", 2)).toEqual({ type: "ack", message_id: id, seq: 3 });
  peer.send({ ...part(4), final: true });
  peer.send({ ...part(4), final: true });
  expect(await end).toEqual(completed);
  await eventually(() => expect(peer.frames.at(-1)).toEqual({ type: "ack", message_id: id, seq: 4 }));
  expect(events).toEqual(["start", "text:1", "text:2", "text:3", "text:4"]);
  expect(rig.unsolicited).toBe(0);
});

test("P-13 what is said of an ended turn is acknowledged and counted, and nobody hears it in the next", async () => {
  await using rig = await PluginRig.start();
  await using peer = await rig.connect(numbering);
  const first = rig.run("hi");
  await peer.next("inbound");
  peer.send({ type: "reply", content: "a", message_id: first.id, seq: 1 });
  await first.end;
  peer.send({ type: "reply", content: "late", message_id: first.id, seq: 2 });
  await eventually(() => expect(peer.frames.at(-1)).toMatchObject({ type: "ack", seq: 2 }));
  const second = rig.run("next");
  await peer.next("inbound", 2);
  peer.send({ type: "reply", content: "later", message_id: first.id, seq: 3 });
  peer.send({ type: "reply", content: "b", message_id: second.id, seq: 1 });
  expect(await second.end).toEqual(completed);
  expect(second.events).toEqual(["start", "text:b"]);
  expect(rig.unsolicited).toBe(2);
});

test.for([
  { title: "after a gap", frame: { seq: 3 } },
  { title: "without a number", frame: { seq: undefined } },
  { title: "without a turn", frame: { message_id: undefined } },
])(
  "P-13 a frame $title closes with 4004; the turn goes on with the connection that resumes it",
  async ({ frame }) => {
    await using rig = await PluginRig.start({ reconnectMs: 10_000 });
    await using first = await rig.connect(numbering);
    const turn = rig.run("hi");
    await first.next("inbound");
    const part = { type: "reply", content: "a", final: false, message_id: turn.id };
    first.send({ ...part, seq: 1 });
    first.send([
      { ...part, seq: 2, ...frame },
      { ...part, content: "unheard", seq: 2 },
    ]);
    expect(await first.closed).toMatchObject({ code: 4004 });
    await using second = await rig.connect({ ...numbering, resumes: turn.id });
    expect(second.frames[0]).toMatchObject({ turn: turn.id, received: 1 });
    second.send({ type: "reply", content: "b", message_id: turn.id, seq: 2 });
    expect(await turn.end).toEqual(completed);
    expect(turn.events).toEqual(["start", "text:a", "text:b"]);
  },
);

test("P-7 hello_ack names the turn that was asked, and whoever says something for it takes it up", async () => {
  await using rig = await PluginRig.start({ reconnectMs: 500 });
  const first = await rig.connect(numbering);
  const turn = rig.run("hi");
  await first.next("inbound");
  first.send({ type: "reply", content: "a", final: false, message_id: turn.id, seq: 1 });
  await first.next("ack");
  first.socket.terminate();
  await first.closed;
  await using second = await rig.connect(numbering);
  expect(second.frames[0]).toMatchObject({ turn: turn.id, received: 1 });
  second.send({ type: "progress", message_id: turn.id, seq: 2 });
  await second.next("ack");
  await new Promise((resolve) => setTimeout(resolve, 700)); // longer than reconnectMs
  second.send({ type: "reply", content: "b", message_id: turn.id, seq: 3 });
  expect(await turn.end).toEqual(completed);
  await using third = await rig.connect(numbering);
  expect(third.frames[0]).not.toHaveProperty("turn");
});

test("P-14 a frame of another epoch is counted and not heard", async () => {
  await using rig = await PluginRig.start();
  await using first = await rig.connect({ protocol: 1 });
  const turn = rig.run("hi");
  await first.next("inbound");
  await using second = await rig.connect({ protocol: 1, resumes: turn.id });
  expect(second.frames[0]).toMatchObject({ epoch: 2 });
  second.send({ type: "reply", content: "old", epoch: 1 });
  second.send({ type: "ask", id: "q", tool: "Bash", input: {}, epoch: 1 });
  second.send({ type: "reply", content: "of tomorrow", epoch: 3 });
  second.send({ type: "reply", content: "right", epoch: 2 });
  expect(await turn.end).toEqual(completed);
  expect(turn.events).toEqual(["start", "text:right"]);
  expect(rig.unsolicited).toBe(3);
});

test("P-15 a prompt that nobody saw is sent once more, then its turn fails and the process is ended", async () => {
  await using rig = await PluginRig.start({ seenMs: 150 });
  await using peer = await rig.connect({ protocol: 1, capabilities: ["seen"] });
  const turn = rig.run("hi");
  const first = await peer.next("inbound");
  peer.send({ type: "progress", text: "the plugin is there", message_id: turn.id });
  expect(await turn.end).toMatchObject({
    state: "failed",
    error: { code: "agent_unavailable", message: expect.stringContaining("limits.seenMs") },
  });
  const prompts = peer.frames.filter(({ type }) => type === "inbound");
  expect(prompts).toHaveLength(2);
  expect(prompts[1]).toMatchObject({ content: "hi", meta: { message_id: turn.id } });
  expect(first).toMatchObject({ meta: { message_id: turn.id } });
  expect(await rig.process.closed).toMatchObject({ code: "abandoned" });
});

test.for([
  { title: "seen", frame: { type: "seen" } },
  { title: "a part of the answer", frame: { type: "reply", content: "a", final: false } },
  { title: "an ask", frame: { type: "ask", id: "q", tool: "Bash", input: {} } },
])("P-15 $title, even for the second prompt, is enough", async ({ frame }) => {
  await using rig = await PluginRig.start({ seenMs: 150 });
  await using peer = await rig.connect({ protocol: 1, capabilities: ["seen", "asks"] });
  const turn = rig.run("hi");
  await peer.next("inbound", 2);
  peer.send({ ...frame, message_id: turn.id });
  await new Promise((resolve) => setTimeout(resolve, 400));
  peer.send({ type: "reply", content: "b", message_id: turn.id });
  expect(await turn.end).toEqual(completed);
  expect(peer.frames.filter(({ type }) => type === "inbound")).toHaveLength(2);
});

test("P-15 a lost connection stops the wait, and it begins again with the next", async () => {
  await using rig = await PluginRig.start({ seenMs: 300, reconnectMs: 5_000 });
  const first = await rig.connect({ protocol: 1, capabilities: ["seen"] });
  const turn = rig.run("hi");
  await first.next("inbound");
  first.socket.terminate();
  await first.closed;
  await new Promise((resolve) => setTimeout(resolve, 800)); // longer than two waits
  await using second = await rig.connect({ protocol: 1, capabilities: ["seen"], resumes: turn.id });
  await second.next("inbound");
  second.send({ type: "seen", message_id: turn.id });
  second.send({ type: "reply", content: "b", message_id: turn.id });
  expect(await turn.end).toEqual(completed);
});

test("P-16 the end of the agent's turn ends the turn: with what it said last, where nothing was replied", async () => {
  await using rig = await PluginRig.start();
  await using peer = await rig.connect({ protocol: 1, capabilities: ["turn_over"] });
  const say = async (count: number, ...frames: object[]) => {
    const turn = rig.run("hi");
    await peer.next("inbound", count);
    for (const frame of frames) peer.send({ ...frame, message_id: turn.id });
    return { end: await turn.end, events: turn.events.slice(1) };
  };
  const part = { type: "reply", content: "replied", final: false };
  const over = { type: "turn_over", text: "said last" };
  expect(await say(1, over)).toEqual({ end: completed, events: ["text:said last"] });
  expect(await say(2, part, over)).toEqual({ end: completed, events: ["text:replied"] });
  expect(await say(3, { type: "turn_over" })).toEqual({
    end: {
      state: "failed",
      error: { code: "turn_failed", message: "the agent ended its turn without an answer" },
    },
    events: [],
  });
});

test("P-16 the next prompt waits till the agent is at rest, and a late turn_over is no unsolicited frame", async () => {
  await using rig = await PluginRig.start({ seenMs: 60_000 });
  await using peer = await rig.connect({ protocol: 1, capabilities: ["turn_over"] });
  const first = rig.run("one");
  await peer.next("inbound");
  peer.send({ type: "reply", content: "a", message_id: first.id });
  expect(await first.end).toEqual(completed);
  const second = rig.run("two");
  peer.send({ type: "turn_over", message_id: "another" });
  await settled(peer);
  expect([typesOf(peer), second.events]).toEqual([["hello_ack", "inbound"], []]);
  peer.send({ type: "turn_over", text: "not this", message_id: first.id });
  await peer.next("inbound", 2);
  peer.send({ type: "turn_over", message_id: first.id });
  peer.send({ type: "reply", content: "b", message_id: second.id });
  expect(await second.end).toEqual(completed);
  expect(second.events).toEqual(["start", "text:b"]);
  expect(rig.unsolicited).toBe(2); // of another turn, and of one before the last
});

test("P-16 a prompt that waits for it is sent after seenMs, or to another connection, or never if cancelled", async () => {
  await using rig = await PluginRig.start({ seenMs: 200 });
  const hello = { protocol: 1, capabilities: ["turn_over", "cancel"] };
  const peer = await rig.connect(hello);
  const answer = async (by: Peer, count: number) => {
    const turn = rig.run("hi");
    await by.next("inbound", count);
    by.send({ type: "reply", content: "a", message_id: turn.id });
    expect(await turn.end).toEqual(completed);
  };
  await answer(peer, 1);
  await answer(peer, 2); // after seenMs
  const cancelled = rig.run("never");
  rig.process.interrupt();
  expect(await cancelled.end).toMatchObject({ state: "cancelled" });
  expect([cancelled.events, typesOf(peer).includes("cancel")]).toEqual([[], false]);
  peer.socket.terminate();
  await peer.closed;
  await using other = await rig.connect(hello);
  const turn = rig.run("hi");
  await other.next("inbound");
  other.send({ type: "reply", content: "a", message_id: turn.id });
  expect(await turn.end).toEqual(completed);
});

test("P-16 a connection that does not resume the ended turn is at rest", async () => {
  await using rig = await PluginRig.start({ seenMs: 60_000 });
  const hello = { protocol: 1, capabilities: ["turn_over"] };
  const first = await rig.connect(hello);
  const turn = rig.run("one");
  await first.next("inbound");
  first.send({ type: "reply", content: "a", message_id: turn.id });
  await turn.end;
  const held = rig.run("two");
  await using same = await rig.connect({ ...hello, resumes: turn.id });
  await settled(same);
  expect(held.events).toEqual([]);
  await using other = await rig.connect(hello);
  await other.next("inbound");
  other.send({ type: "reply", content: "b", message_id: held.id });
  expect(await held.end).toEqual(completed);
});

test("P-17 each ask is denied as long as nobody can be asked, with a message for the agent", async () => {
  await using rig = await PluginRig.start();
  await using peer = await rig.connect({ protocol: 1, capabilities: ["asks"] });
  const ask = { type: "ask", id: "q1", tool: "Bash", input: { command: "ls" } };
  peer.send(ask);
  peer.send({ type: "ask_withdrawn", id: "q1" });
  expect(await peer.next("verdict")).toEqual({
    type: "verdict",
    id: "q1",
    behavior: "deny",
    message: expect.stringContaining("Bash"),
  });
  await settled(peer);
  expect(typesOf(peer)).toEqual(["hello_ack", "verdict"]);
  expect(rig.unsolicited).toBe(0);
});

test("P-17 an ask of a peer without the capability is unsolicited", async () => {
  await using rig = await PluginRig.start();
  await using peer = await rig.connect();
  peer.send({ type: "ask", id: "q1", tool: "Bash", input: {} });
  await settled(peer);
  expect([typesOf(peer), rig.unsolicited]).toEqual([["hello_ack"], 1]);
});

test("P-18 files come after the text that they came with, and one whose name is a path is refused", async () => {
  await using rig = await PluginRig.start();
  await using peer = await rig.connect({ protocol: 1, capabilities: ["attachments"] });
  const turn = rig.run("hi");
  await peer.next("inbound");
  const files = [
    { name: "a b.png", media_type: "image/png", data: "YQ==" },
    { name: "r.pdf", media_type: "application/pdf", path: "out/r.pdf" },
  ];
  peer.send({ type: "reply", content: "two:", attachments: files });
  expect(await turn.end).toEqual(completed);
  expect(turn.events).toEqual(["start", "text:two:", "file:a b.png", "file:r.pdf"]);
  peer.send({
    type: "reply",
    content: "",
    attachments: [{ name: "../x", media_type: "text/plain", data: "" }],
  });
  expect(await peer.closed).toMatchObject({ code: 4004 });
});
