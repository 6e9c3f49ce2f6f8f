import { setTimeout } from "node:timers/promises";
import { eventually, expectClean } from "@synthesis/testkit";
import { expect, test } from "vitest";
import { PluginRig } from "../../support/plugin-rig.ts";

expectClean();

const completed = { state: "completed", finishReason: "stop" };

/** What follows has been handled by the time the pong is there. */
async function settled(peer: Awaited<ReturnType<PluginRig["connect"]>>): Promise<void> {
  const pongs = peer.frames.filter(({ type }) => type === "pong").length;
  peer.send({ type: "ping" });
  await peer.next("pong", pongs + 1);
}

test("the prompt is an inbound frame with the session, the turn's id and the time", async () => {
  await using rig = await PluginRig.start();
  await using peer = await rig.connect();
  const turn = rig.run("hi\nthere");
  const inbound = await peer.next("inbound");
  expect(inbound).toMatchObject({
    content: "hi\nthere",
    meta: { chat_id: "agent::chat", message_id: turn.id },
  });
  expect((inbound["meta"] as { ts: string }).ts).toMatch(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
});

test("a turn that is there before the hello is asked at the hello", async () => {
  await using rig = await PluginRig.start();
  const turn = rig.run("hi");
  expect(turn.events).toEqual([]);
  await using peer = await rig.connect();
  await peer.next("inbound");
  expect(turn.events).toEqual(["start"]);
});

test("a program has one stage from its prompt on, and has not begun a turn that it was never asked", async () => {
  await using rig = await PluginRig.start();
  const peer = await rig.connect();
  const asked = rig.run("hi");
  await peer.next("inbound");
  expect(asked.stages).toEqual(["answer"]);
  peer.send({ type: "reply", content: "a" });
  await asked.end;
  await peer[Symbol.asyncDispose]();
  await eventually(() => expect(rig.bridge.connections).toBe(0));
  const unasked = rig.run("again");
  await rig.process.kill({ code: "test", message: "killed by the test" });
  expect(await unasked.end).toMatchObject({ state: "not_begun", error: { code: "agent_unavailable" } });
  expect([unasked.events, unasked.stages]).toEqual([[], []]);
});

test("P-5 replies accumulate; final absent ends the turn", async () => {
  await using rig = await PluginRig.start();
  await using peer = await rig.connect();
  const turn = rig.run("hi");
  await peer.next("inbound");
  peer.send({ type: "reply", content: "a", final: false });
  peer.send({ type: "progress", text: "thinking" });
  peer.send({ type: "reply", content: "", final: false });
  peer.send({ type: "reply", content: "b" });
  expect(await turn.end).toEqual(completed);
  expect(turn.events).toEqual(["start", "text:a", "reasoning:thinking", "text:b"]);
});

test("P-5 final:true ends the turn too", async () => {
  await using rig = await PluginRig.start();
  await using peer = await rig.connect();
  const turn = rig.run("hi");
  await peer.next("inbound");
  peer.send({ type: "reply", content: "a", final: true, message_id: turn.id });
  expect(await turn.end).toEqual(completed);
});

test("a failure frame fails the turn, its message is no text", async () => {
  await using rig = await PluginRig.start();
  await using peer = await rig.connect();
  const turn = rig.run("hi");
  await peer.next("inbound");
  peer.send({ type: "failure", message: "no such ticket" });
  expect(await turn.end).toEqual({
    state: "failed",
    error: { code: "turn_failed", message: "no such ticket" },
  });
  expect(turn.events).toEqual(["start"]);
});

test("P-6 what answers no turn, or another one, is counted and never delivered", async () => {
  await using rig = await PluginRig.start();
  await using peer = await rig.connect();
  peer.send({ type: "reply", content: "too early" });
  await settled(peer);
  const turn = rig.run("hi");
  await peer.next("inbound");
  peer.send({ type: "reply", content: "for another", message_id: "another" });
  peer.send({ type: "cancelled", message_id: "another" });
  peer.send({ type: "reply", content: "right" });
  peer.send({ type: "reply", content: "too late" });
  await settled(peer);
  expect(await turn.end).toEqual(completed);
  expect(turn.events).toEqual(["start", "text:right"]);
  expect(rig.unsolicited).toBe(4);
});

test("P-7 a reconnect that resumes the turn carries it on", async () => {
  await using rig = await PluginRig.start({ reconnectMs: 400, pingMs: 250 });
  const first = await rig.connect();
  const turn = rig.run("hi");
  await first.next("inbound");
  first.send({ type: "reply", content: "one ", final: false });
  await settled(first);
  first.socket.terminate();
  await first.closed;
  await using second = await rig.connect({ resumes: turn.id });
  for (const count of [1, 2]) {
    await second.next("ping", count); // two intervals are longer than reconnectMs
    second.send({ type: "pong" });
  }
  second.send({ type: "reply", content: "two" });
  expect(await turn.end).toEqual(completed);
  expect(turn.events).toEqual(["start", "text:one ", "text:two"]);
  expect(second.frames.some(({ type }) => type === "inbound")).toBe(false);
});

test("P-7 hello_ack says how many frames of the turn were taken, before and after its end", async () => {
  await using rig = await PluginRig.start();
  await using peers = new AsyncDisposableStack();
  const connect = async (resumes?: string) => {
    const peer = peers.use(await rig.connect({ protocol: 1, ...(resumes && { resumes }) }));
    return { peer, received: (await peer.next("hello_ack"))["received"] };
  };
  const first = await connect();
  expect(first.received).toBeUndefined();
  const turn = rig.run("hi");
  await first.peer.next("inbound");
  first.peer.send({ type: "reply", content: "a", final: false, message_id: turn.id });
  first.peer.send({ type: "progress" });
  first.peer.send({ type: "reply", content: "not for it", message_id: "another" });
  await settled(first.peer);
  const second = await connect(turn.id);
  expect(second.received).toBe(2);
  second.peer.send({ type: "reply", content: "b" });
  expect(await turn.end).toEqual(completed);
  second.peer.send({ type: "reply", content: "too late", message_id: turn.id });
  await settled(second.peer);
  const third = await connect(turn.id);
  expect(third.received).toBe(3);
  const next = rig.run("next");
  await third.peer.next("inbound");
  expect((await connect(next.id)).received).toBe(0);
  expect((await connect(turn.id)).received).toBe(0);
  expect(turn.events).toEqual(["start", "text:a", "text:b"]);
});

test("P-7 hello_ack comes before the prompt of a turn that waited for the connection", async () => {
  await using rig = await PluginRig.start();
  rig.run("hi");
  await using peer = await rig.connect({ protocol: 1, resumes: "an earlier turn" });
  await peer.next("inbound");
  expect(peer.frames).toMatchObject([{ type: "hello_ack", received: 0 }, { type: "inbound" }]);
});

test.for([
  { title: "nobody reconnects", hello: undefined },
  { title: "a reconnect resumes nothing", hello: {} },
  { title: "a reconnect resumes another turn", hello: { resumes: "another" } },
])("P-7 where $title the turn is interrupted after reconnectMs", async ({ hello }) => {
  await using rig = await PluginRig.start({ reconnectMs: 100 });
  const first = await rig.connect();
  const turn = rig.run("hi");
  await first.next("inbound");
  const since = performance.now();
  first.socket.terminate();
  await first.closed;
  const second = hello && (await rig.connect(hello));
  expect(await turn.end).toMatchObject({ state: "interrupted", error: { code: "turn_interrupted" } });
  expect(performance.now() - since).toBeGreaterThanOrEqual(95);
  await second?.closed;
});

test("P-7 a plugin that comes and goes is not waited for again each time, nor taken for life", async () => {
  await using rig = await PluginRig.start({ reconnectMs: 200 });
  await using peers = new AsyncDisposableStack();
  peers.use(await rig.connect({ protocol: 1 }));
  const turn = rig.run("hi");
  while ((await Promise.race([turn.end, setTimeout(20)])) === undefined) {
    const connected = rig.connect({ protocol: 1, resumes: "another" });
    peers.use(await connected.catch(() => undefined)); // the turn may just have ended, and its program
  }
  expect(await turn.end).toMatchObject({ state: "interrupted" });
  expect(turn.lives).toBe(0);
});

test("P-12 a turn that is cancelled before its prompt was sent ends at once, and its program goes on", async () => {
  await using rig = await PluginRig.start();
  const turn = rig.run("hi");
  rig.process.interrupt();
  expect(await turn.end).toMatchObject({ state: "cancelled" });
  expect(turn.events).toEqual([]);
  await using peer = await rig.connect();
  const next = rig.run("next");
  expect(await peer.next("inbound")).toMatchObject({ content: "next" });
  peer.send({ type: "reply", content: "x" });
  expect(await next.end).toEqual(completed);
});

test("P-12 a peer with the capability is told to cancel, and the turn ends by its cancelled", async () => {
  await using rig = await PluginRig.start();
  await using peer = await rig.connect({ capabilities: ["cancel"] });
  const turn = rig.run("hi");
  await peer.next("inbound");
  rig.process.interrupt();
  expect(await peer.next("cancel")).toEqual({ type: "cancel", message_id: turn.id });
  peer.send({ type: "cancelled", message_id: turn.id });
  expect(await turn.end).toMatchObject({ state: "cancelled", error: { code: "turn_cancelled" } });
  const next = rig.run("next");
  await peer.next("inbound", 2);
  peer.send({ type: "reply", content: "x" });
  expect(await next.end).toEqual(completed);
});

test("P-12 a last reply in place of cancelled completes the turn", async () => {
  await using rig = await PluginRig.start();
  await using peer = await rig.connect({ capabilities: ["cancel"] });
  const turn = rig.run("hi");
  await peer.next("inbound");
  rig.process.interrupt();
  await peer.next("cancel");
  peer.send({ type: "reply", content: "done anyway" });
  expect(await turn.end).toEqual(completed);
});

test("P-12 a peer without the capability is ended", async () => {
  await using rig = await PluginRig.start();
  await using peer = await rig.connect();
  const turn = rig.run("hi");
  await peer.next("inbound");
  rig.process.interrupt();
  expect(await turn.end).toMatchObject({ state: "interrupted" });
  expect(await rig.process.closed).toMatchObject({ code: "cancelled" });
  expect(await peer.closed).toMatchObject({ code: 1001 });
});

test("an interrupt between turns does nothing", async () => {
  await using rig = await PluginRig.start();
  await using peer = await rig.connect();
  rig.process.interrupt();
  await settled(peer);
  expect(peer.frames.map(({ type }) => type)).toEqual(["hello_ack", "pong"]);
});

test("a turn that cannot be journaled is not asked, whenever the plugin comes", async () => {
  await using rig = await PluginRig.start();
  const full = () => {
    throw new Error("disk full");
  };
  const early = rig.run("before the hello", full);
  await using peer = await rig.connect();
  expect(await early.end).toMatchObject({ state: "failed", error: { code: "internal_error" } });
  await expect(rig.run("after the hello", full).end).rejects.toThrow("disk full");
  await settled(peer);
  expect(peer.frames.some(({ type }) => type === "inbound")).toBe(false);
  await eventually(() => expect(rig.unsolicited).toBe(0));
});

test("the parts of a prompt are told as text, a function's result with what was called", async () => {
  await using rig = await PluginRig.start();
  const peer = await rig.connect();
  const turn = rig.run([
    { type: "text", text: "one" },
    {
      type: "tool_result",
      call: "c1",
      name: "f1",
      arguments: '{"q":1}',
      content: [{ type: "text", text: "no such place" }],
      isError: true,
    },
    { type: "text", text: "two" },
  ]);
  const { content } = await peer.next("inbound");
  expect(content).toBe(
    'one\n\n<function_call name="f1">\n{"q":1}\n</function_call>\n<function_result name="f1" outcome="failed">\nno such place\n</function_result>\n\ntwo',
  );
  peer.send({ type: "reply", message_id: turn.id, content: "ok" });
  expect(await turn.end).toMatchObject({ state: "completed" });
});

test("a turn for a program that has ended meanwhile is not begun, and does not hang", async () => {
  await using rig = await PluginRig.start();
  await rig.process.kill({ code: "test", message: "it was killed" });
  expect(await rig.run("hi").end).toMatchObject({ state: "not_begun" });
});
