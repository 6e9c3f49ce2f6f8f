import { randomBytes } from "node:crypto";
import { eventually, expectClean } from "@synthesis/testkit";
import { expect, test } from "vitest";
import { TestBridge, type TestSeat } from "../support/test-bridge.ts";

expectClean();

const CONNECTIONS = 400;
const FRAMES_EACH = 25;
const valid = [
  '{"type":"reply","content":"text","final":false,"message_id":"m"}',
  '{"type":"failure","message":"no"}',
  '{"type":"hello","pid":1,"openclaw_session":"agent::chat"}',
  '[{"type":"ping"},{"type":"pong"}]',
  '{"type":"turn_over","message_id":"m","text":"t","seq":7,"epoch":2}',
  '{"type":"ask","id":"q","tool":"Bash","input":{"command":"ls"},"suggestions":[{}]}',
  '{"type":"reply","content":"","attachments":[{"name":"a","media_type":"text/plain","data":"YQ=="}]}',
];

/** A reproducible source of numbers in [0, 1) (mulberry32). */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

function randomFrame(random: () => number): string | Buffer {
  const pick = Math.floor(random() * 6);
  const text = valid[Math.floor(random() * valid.length)] ?? "";
  const at = Math.floor(random() * text.length);
  switch (pick) {
    case 0:
      return randomBytes(1 + at); // binary
    case 1:
      return text.slice(0, at); // cut
    case 2:
      return text.slice(0, at) + String.fromCharCode(Math.floor(random() * 0xd800)) + text.slice(at + 1);
    case 3:
      return `${"[".repeat(at + 1)}${"]".repeat(at + 1)}`;
    case 4:
      return JSON.stringify({
        type: ["reply", "failure", "seen", "ask", "turn_over", "nope"][at % 6],
        content: at,
        message: {},
      });
    default:
      return text.replaceAll('"', at % 2 === 0 ? "'" : '"');
  }
}

async function assault(bridge: TestBridge, seat: TestSeat, random: () => number): Promise<number> {
  await using peer = await bridge.greet(seat);
  for (let count = 1; count < FRAMES_EACH; count++) peer.send(randomFrame(random));
  peer.send("the last one is malformed for certain");
  return (await peer.closed).code;
}

test(`P-9 ${CONNECTIONS * FRAMES_EACH} random frames close the sockets they came on and no other`, async () => {
  await using bridge = await TestBridge.start();
  const [attacked, other] = [bridge.seat(), bridge.seat("agent::other")];
  await using bystander = await bridge.greet(other);
  const random = seeded(20261122);
  for (let count = 0; count < CONNECTIONS; count++) {
    expect(await assault(bridge, attacked, random)).toBe(4004);
  }
  await eventually(() => expect(bridge.connections).toBe(1));
  bystander.send({ type: "reply", content: "still here" });
  bystander.send({ type: "ping" });
  await bystander.next("pong");
  expect(other.heard).toEqual([other.hello(), { type: "reply", content: "still here" }]);
  await using again = await bridge.greet(attacked);
  expect(again.frames).toHaveLength(1);
});
