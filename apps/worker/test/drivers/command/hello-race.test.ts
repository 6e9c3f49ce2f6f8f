import { eventually, expectClean } from "@synthesis/testkit";
import { expect, test } from "vitest";
import { Peer } from "../../support/peer.ts";
import { PluginRig } from "../../support/plugin-rig.ts";

expectClean();

const RACES = 1_000;
const hello = (more: object) => ({
  type: "hello",
  pid: 1,
  openclaw_session: "agent::chat",
  protocol: 1,
  capabilities: ["seq"],
  ...more,
});

/** Says hello as soon as it is open, and answers the turn as soon as it is greeted. */
async function race(rig: PluginRig, name: string, turnId: string): Promise<Peer> {
  const peer = new Peer(rig.url);
  await peer.opened;
  peer.send(hello({ resumes: turnId }));
  const ack = await peer.next("hello_ack");
  const seq = Number(ack["received"]) + 1;
  peer.send({ type: "reply", content: name, message_id: turnId, seq });
  return peer;
}

test(
  `P-4 in ${RACES} races of two hellos one connection stays and the turn is answered once`,
  { timeout: 120_000 },
  async () => {
    await using rig = await PluginRig.start({ reconnectMs: 20_000 });
    let seated = await rig.connect(hello({}));
    const winners = new Set<string>();
    for (let count = 1; count <= RACES; count++) {
      const turn = rig.run("hi");
      await seated.next("inbound");
      const names = count % 2 === 0 ? ["a", "b"] : ["b", "a"];
      const both = await Promise.all(names.map((name) => race(rig, name, turn.id)));
      expect(await turn.end).toEqual({ state: "completed", finishReason: "stop" });
      expect(turn.events).toEqual(["start", expect.stringMatching(/^text:[ab]$/)]);
      winners.add(turn.events[1] ?? "");
      expect(await seated.closed).toMatchObject({ code: 4002 });
      const older = await Promise.race(
        both.map(async (peer) => ((await peer.closed).code === 4002 ? peer : undefined)),
      );
      expect(older).toBeDefined();
      seated = both.find((peer) => peer !== older)!;
    }
    expect(winners.size).toBe(2);
    await eventually(() => expect(rig.bridge.connections).toBe(1));
    expect(rig.unsolicited).toBe(0); // what the later one said was numbered as what had been taken
  },
);

test("P-4 a race in which nobody takes the turn up interrupts it: it never hangs", async () => {
  for (let count = 1; count <= 10; count++) {
    await using rig = await PluginRig.start({ reconnectMs: 50 });
    await using first = await rig.connect(hello({}));
    const turn = rig.run("hi");
    await first.next("inbound");
    await using stack = new AsyncDisposableStack();
    for (const resumes of [undefined, "another"]) {
      const peer = stack.use(new Peer(rig.url));
      void peer.opened.then(() => peer.send(hello({ resumes })));
    }
    expect(await turn.end).toMatchObject({ state: "interrupted", error: { code: "turn_interrupted" } });
  }
});

test("what a connection forges reaches no other session: neither by session, nor by turn, nor by epoch", async () => {
  await using mine = await PluginRig.start();
  await using yours = await PluginRig.start({}, { bridge: mine.bridge, sessionKey: "agent::yours" });
  await using attacker = await mine.connect(hello({}));
  await using victim = await yours.connect({ protocol: 1 });
  const turn = yours.run("secret");
  const { meta } = await victim.next("inbound");
  const ofVictim = { message_id: turn.id, chat_id: "agent::yours", openclaw_session: "agent::yours", meta };
  attacker.send({ ...hello({}), ...ofVictim });
  for (const type of ["reply", "progress", "failure", "cancelled", "seen", "turn_over"]) {
    attacker.send({
      type,
      content: "forged",
      text: "forged",
      message: "forged",
      seq: 1,
      epoch: 1,
      ...ofVictim,
    });
  }
  attacker.send({ type: "ping" });
  await attacker.next("pong");
  victim.send({ type: "reply", content: "mine", message_id: turn.id });
  expect(await turn.end).toEqual({ state: "completed", finishReason: "stop" });
  expect(turn.events).toEqual(["start", "text:mine"]);
  expect([mine.unsolicited, yours.unsolicited]).toEqual([6, 0]);
  expect(attacker.frames.map(({ type }) => type)).toEqual(["hello_ack", "pong"]);
});
