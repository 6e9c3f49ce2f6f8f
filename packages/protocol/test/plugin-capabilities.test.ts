import { expect, test } from "vitest";
import { type InboundTurn, PluginClient, type PluginClientOptions } from "../src/plugin-client.ts";
import { TestBridge } from "./test-bridge.ts";

/** A client that has said its first hello, to a bridge that takes up all that there is. */
async function connected(options: Partial<PluginClientOptions> = {}, ack: object = {}) {
  const stack = new AsyncDisposableStack();
  const bridge = stack.use(await TestBridge.listen());
  const turns: InboundTurn[] = [];
  const client = stack.use(
    new PluginClient({
      url: bridge.url,
      sessionKey: "main",
      onInbound: (turn) => void turns.push(turn),
      capabilities: ["seen", "turn_over", "asks", "attachments"],
      ...options,
    }),
  );
  const started = client.start();
  const { peer, hello } = await bridge.greeted(undefined, full(ack));
  await started;
  const turn = async (id: string) => {
    peer.inbound(id, "hello");
    await expect.poll(() => turns.at(-1)?.id).toBe(id);
    return turns.at(-1)!;
  };
  return { bridge, client, peer, hello, turns, turn, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

const full = (more: object = {}) => ({
  capabilities: ["cancel", "seq", "seen", "turn_over", "asks", "attachments"],
  ...more,
});

test("a plugin's own capabilities are named beside the client's", async () => {
  await using world = await connected();
  expect(world.hello["capabilities"]).toEqual(["cancel", "seq", "seen", "turn_over", "asks", "attachments"]);
});

test("P-13 the frames of each turn are numbered from 1, and those that were not taken are sent again", async () => {
  await using world = await connected();
  const first = await world.turn("t1");
  first.reply("a");
  first.end("b");
  const second = await world.turn("t2");
  second.reply("c");
  second.progress("d");
  expect((await world.peer.take(4)).map(({ seq }) => seq)).toEqual([1, 2, 1, 2]);
  world.peer.send({ type: "ack", message_id: "t2", seq: 1 });
  expect(await world.peer.rest()).toEqual([]);
  world.peer.socket.terminate();
  const { peer, hello } = await world.bridge.greeted(1, full({ turn: "t2" }));
  expect(hello["resumes"]).toBe("t2");
  expect(await peer.next()).toEqual({ type: "progress", text: "d", message_id: "t2", seq: 2 });
});

test("P-15 seen is said once, and a prompt that comes again is shown again, but not once it is answered", async () => {
  const unseen: string[] = [];
  await using world = await connected({ onUnseen: ({ content }) => void unseen.push(content) });
  const turn = await world.turn("t1");
  world.peer.inbound("t1", "hello");
  await expect.poll(() => unseen).toEqual(["hello"]);
  turn.seen();
  turn.end("done");
  expect(await world.peer.take(2)).toMatchObject([
    { type: "seen", message_id: "t1", seq: 1 },
    { type: "reply", content: "done", seq: 2 },
  ]);
  world.peer.inbound("t1", "hello");
  expect(await world.peer.rest()).toEqual([]);
  expect([unseen.length, world.turns.length]).toEqual([1, 1]);
});

test("P-20 a turn has the files of its prompt, also of one that comes again; without any it has none", async () => {
  await using world = await connected();
  const attachments = [{ name: "a.png", media_type: "image/png", path: "/received/a.png", bytes: 1 }];
  expect((await world.turn("t1")).files).toEqual([]);
  world.peer.inbound("t2", "look", { attachments });
  await expect.poll(() => world.turns.at(-1)?.files).toEqual(attachments);
  world.peer.inbound("t2", "look", { attachments: [...attachments, ...attachments] });
  await expect.poll(() => world.turns.at(-1)?.files).toHaveLength(2);
});

test("an onUnseen that throws fails the turn", async () => {
  await using world = await connected({
    onUnseen: () => {
      throw new Error("no terminal");
    },
  });
  await world.turn("t1");
  world.peer.inbound("t1", "hello");
  expect(await world.peer.next()).toMatchObject({ type: "failure", message: "no terminal" });
});

test("P-16 over ends a turn with its text, or follows its end; it is said once", async () => {
  await using world = await connected();
  const plain = await world.turn("t1");
  plain.over("plain text");
  plain.over("again");
  plain.reply("late");
  const replied = await world.turn("t2");
  replied.end("answer");
  replied.over("what it said last");
  expect(await world.peer.rest()).toMatchObject([
    { type: "turn_over", text: "plain text", message_id: "t1", seq: 1 },
    { type: "reply", content: "answer", message_id: "t2", seq: 1 },
    { type: "turn_over", message_id: "t2", seq: 2 },
  ]);
  const third = await world.turn("t3");
  third.end("answer");
  await world.turn("t4");
  third.over();
  expect((await world.peer.rest()).map(({ type }) => type)).toEqual(["reply"]);
});

test("P-16 a last text that fits in no frame is replied in parts", async () => {
  await using world = await connected({}, { limits: { frame_bytes: 1024, frames_per_second: 5000 } });
  const turn = await world.turn("t1");
  turn.over("x".repeat(200));
  const frames = await world.peer.rest();
  expect(frames.map(({ type }) => type)).toEqual(["reply", "reply", "turn_over"]);
  expect(frames.map(({ content }) => (typeof content === "string" ? content : "")).join("")).toBe(
    "x".repeat(200),
  );
  for (const frame of frames) expect(JSON.stringify(frame).length).toBeLessThan(1024);
});

test("P-18 a file goes with a reply that does not end the turn", async () => {
  await using world = await connected();
  const turn = await world.turn("t1");
  const file = { name: "a.png", media_type: "image/png", path: "out/a.png" };
  turn.attach(file);
  turn.over("not this");
  expect(await world.peer.rest()).toEqual([
    { type: "reply", content: "", final: false, attachments: [file], message_id: "t1", seq: 1 },
    { type: "turn_over", message_id: "t1", seq: 2 },
  ]);
});

test("P-17 an ask gets the bridge's verdict, also where the connection was lost in between", async () => {
  await using world = await connected();
  await world.turn("t1");
  const verdict = world.client.ask({ id: "q1", tool: "Bash", input: { command: "ls" }, title: "List?" });
  const ask = {
    type: "ask",
    id: "q1",
    tool: "Bash",
    input: { command: "ls" },
    title: "List?",
    message_id: "t1",
  };
  expect(await world.peer.next()).toEqual(ask);
  world.peer.socket.terminate();
  const { peer } = await world.bridge.greeted(0, full({ turn: "t1" }));
  expect(await peer.next()).toEqual(ask);
  peer.send({ type: "verdict", id: "another", behavior: "deny" });
  peer.send({ type: "verdict", id: "q1", behavior: "allow", suggestion: 0 });
  expect(await verdict).toEqual({ type: "verdict", id: "q1", behavior: "allow", suggestion: 0 });
});

test("P-17 an ask is denied when it is withdrawn, its turn ends, the client ends or nobody would answer", async () => {
  const ask = { tool: "Bash", input: {} };
  await using world = await connected();
  const turn = await world.turn("t1");
  const abort = new AbortController();
  const withdrawn = world.client.ask({ ...ask, id: "q1" }, abort.signal);
  const ofTurn = world.client.ask({ ...ask, id: "q2" });
  await world.peer.take(2);
  abort.abort();
  expect(await withdrawn).toMatchObject({ behavior: "deny", message: "withdrawn" });
  expect(await world.peer.next()).toEqual({ type: "ask_withdrawn", id: "q1" });
  turn.end();
  expect(await ofTurn).toMatchObject({ behavior: "deny", message: "the turn has ended" });
  const open = world.client.ask(ask);
  await world.client.close("enough");
  expect(await open).toMatchObject({ behavior: "deny", message: "enough" });
  expect(await world.client.ask(ask)).toMatchObject({ behavior: "deny", message: "enough" });

  await using old = await connected({}, { capabilities: ["cancel"] });
  expect(await old.client.ask(ask)).toMatchObject({
    behavior: "deny",
    message: "the bridge answers no asks",
  });
});

test("P-7 a process that knows nothing of the turn takes it up, and its frames go on from there", async () => {
  const taken: InboundTurn[] = [];
  const onTakeUp = (turn: InboundTurn) => void taken.push(turn);
  await using world = await connected({ onTakeUp }, { turn: "t1", received: 2 });
  expect(await world.peer.next()).toEqual({ type: "progress", message_id: "t1", seq: 3 });
  taken[0]?.end("rest");
  expect(await world.peer.next()).toMatchObject({ content: "rest", message_id: "t1", seq: 4 });
  expect([taken.length, world.turns.length]).toEqual([1, 0]);
});

test("P-12 a cancel for a turn that this process knows nothing of is answered with its next number", async () => {
  await using world = await connected({}, { turn: "t1", received: 2 });
  world.peer.send({ type: "cancel", message_id: "t1" });
  expect(await world.peer.next()).toEqual({ type: "cancelled", message_id: "t1", seq: 3 });
});

test("P-12 a cancel for a turn whose end is on its way is answered by that end", async () => {
  await using world = await connected();
  const turn = await world.turn("t1");
  turn.end("done");
  world.peer.send({ type: "cancel", message_id: "t1" });
  const said = [...(await world.peer.rest()), ...(await world.peer.rest())];
  expect(said.map(({ type }) => type)).toEqual(["reply"]);
});

test("an ask needs no turn", async () => {
  await using world = await connected();
  const verdict = world.client.ask({ id: "q1", tool: "Bash", input: {} });
  expect(await world.peer.next()).toEqual({ type: "ask", id: "q1", tool: "Bash", input: {} });
  world.peer.send({ type: "verdict", id: "q1", behavior: "deny", message: "no" });
  expect(await verdict).toMatchObject({ behavior: "deny", message: "no" });
});
