import { eventually, expectClean } from "@synthesis/testkit";
import { expect, test } from "vitest";
import { PluginRig } from "../../support/plugin-rig.ts";

expectClean();

const hello = { protocol: 1, capabilities: ["asks"] };
const ask = { type: "ask", id: "q1", tool: "Bash", input: { command: "ls" } };
const rule = (ruleContent: string, destination: string) => ({
  type: "addRules",
  rules: [{ toolName: "Bash", ruleContent }],
  behavior: "allow",
  destination,
});

test("P-17 an ask gets the person's verdict, once, and again when it is said again", async () => {
  await using rig = await PluginRig.start();
  await using peer = await rig.connect(hello);
  const turn = rig.run("hi");
  await peer.next("inbound");
  peer.send({ ...ask, title: "May I?" });
  peer.send({ ...ask, title: "May I?" });
  await eventually(() => expect(turn.asks).toHaveLength(1));
  expect(turn.asks[0]!.request).toEqual({
    kind: "permission",
    tool: "Bash",
    title: "May I?",
    input: { command: "ls" },
    always: [],
  });
  turn.asks[0]!.say({ behavior: "deny", message: "no" });
  const verdict = { type: "verdict", id: "q1", behavior: "deny", message: "no" };
  expect(await peer.next("verdict")).toEqual(verdict);
  peer.send(ask);
  expect(await peer.next("verdict", 2)).toEqual(verdict);
  expect(turn.asks).toHaveLength(1);
});

test("P-17 another ask under the same id is not allowed by the verdict on the first", async () => {
  await using rig = await PluginRig.start();
  await using peer = await rig.connect(hello);
  const turn = rig.run("hi");
  await peer.next("inbound");
  peer.send(ask);
  await eventually(() => expect(turn.asks).toHaveLength(1));
  turn.asks[0]!.say({ behavior: "allow" });
  await peer.next("verdict");
  peer.send({ ...ask, input: { command: "rm -rf ." } });
  await eventually(() => expect(turn.asks).toHaveLength(2));
  peer.send({ ...ask, input: { command: "something else" } });
  await eventually(() => expect([turn.asks.length, turn.asks[1]!.withdrawn.aborted]).toEqual([3, true]));
  turn.asks[1]!.say({ behavior: "allow" });
  turn.asks[2]!.say({ behavior: "deny" });
  expect(await peer.next("verdict", 2)).toMatchObject({ behavior: "deny" });
});

test("P-17 the same ask in a later turn is not allowed by the verdict in an earlier one", async () => {
  await using rig = await PluginRig.start();
  await using peer = await rig.connect(hello);
  const first = rig.run("hi");
  await peer.next("inbound");
  peer.send(ask);
  await eventually(() => expect(first.asks).toHaveLength(1));
  first.asks[0]!.say({ behavior: "allow" });
  await peer.next("verdict");
  peer.send({ type: "reply", content: "done" });
  await first.end;
  const second = rig.run("again");
  await peer.next("inbound", 2);
  peer.send(ask);
  await eventually(() => expect(second.asks).toHaveLength(1));
  second.asks[0]!.say({ behavior: "deny" });
  expect(await peer.next("verdict", 2)).toMatchObject({ behavior: "deny" });
});

test("P-17 the last 64 verdicts are said again; who says an older ask again asks anew", async () => {
  await using rig = await PluginRig.start();
  await using peer = await rig.connect(hello);
  const turn = rig.run("hi");
  await peer.next("inbound");
  for (let count = 1; count <= 66; count++) {
    peer.send({ ...ask, id: `q${count}` });
    await eventually(() => expect(turn.asks).toHaveLength(count));
    turn.asks[count - 1]!.say({ behavior: "allow" });
    await peer.next("verdict", count);
  }
  peer.send({ ...ask, id: "q2" });
  expect(await peer.next("verdict", 67)).toMatchObject({ id: "q2" });
  expect(turn.asks).toHaveLength(66);
  peer.send({ ...ask, id: "q1" });
  await eventually(() => expect(turn.asks).toHaveLength(67));
});

test("P-17 a verdict that nobody was connected for comes when the ask is said again", async () => {
  await using rig = await PluginRig.start();
  const peer = await rig.connect(hello);
  const turn = rig.run("hi");
  await peer.next("inbound");
  peer.send(ask);
  await eventually(() => expect(turn.asks).toHaveLength(1));
  await peer[Symbol.asyncDispose]();
  await eventually(() => expect(rig.bridge.connections).toBe(0));
  turn.asks[0]!.say({ behavior: "allow" });
  await using again = await rig.connect({ ...hello, resumes: turn.id });
  again.send(ask);
  expect(await again.next("verdict")).toEqual({ type: "verdict", id: "q1", behavior: "allow" });
  expect(turn.asks).toHaveLength(1);
});

test("P-17 always is the first suggestion that is nothing but a rule for the session", async () => {
  await using rig = await PluginRig.start();
  await using peer = await rig.connect(hello);
  const turn = rig.run("hi");
  await peer.next("inbound");
  const mode = { type: "setMode", mode: "acceptEdits", destination: "session" };
  const suggestions = [mode, rule("ls:*", "localSettings"), rule("ls:*", "session")];
  peer.send({ ...ask, suggestions });
  await eventually(() => expect(turn.asks).toHaveLength(1));
  expect(turn.asks[0]!.request.always).toEqual(["Bash(ls:*) in this session"]);
  turn.asks[0]!.say({ behavior: "always" });
  expect(await peer.next("verdict")).toMatchObject({ behavior: "allow", suggestion: 2 });
});

test("P-17 a question is answered in the tool's input", async () => {
  await using rig = await PluginRig.start();
  await using peer = await rig.connect(hello);
  const turn = rig.run("hi");
  await peer.next("inbound");
  const questions = [{ question: "Colour?", options: [{ label: "Red" }] }];
  peer.send({ ...ask, tool: "AskUserQuestion", input: { questions } });
  await eventually(() => expect(turn.asks).toHaveLength(1));
  turn.asks[0]!.say({ behavior: "allow", message: "red" });
  const updated_input = { questions, answers: { "Colour?": "Red" } };
  expect(await peer.next("verdict")).toMatchObject({ behavior: "allow", updated_input });
});

test("P-17 what is withdrawn is withdrawn from the person too", async () => {
  await using rig = await PluginRig.start();
  await using peer = await rig.connect(hello);
  const turn = rig.run("hi");
  await peer.next("inbound");
  peer.send(ask);
  await eventually(() => expect(turn.asks).toHaveLength(1));
  peer.send({ type: "ask_withdrawn", id: "q1" });
  await eventually(() => expect(turn.asks[0]!.withdrawn.aborted).toBe(true));
});
