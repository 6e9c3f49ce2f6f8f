import { expect, test } from "vitest";
import { BridgeFrame, decodeFrames, encodeFrames, PluginFrame } from "../src/index.ts";

const reply = { type: "reply", content: "hi", final: false } as const;

test("W-2: one frame travels as itself, several travel as an array", () => {
  expect(encodeFrames([reply])).toBe(JSON.stringify(reply));
  expect(encodeFrames([reply, reply])).toBe(JSON.stringify([reply, reply]));
});

test.each([[[reply]], [[reply, { type: "ping" }]], [[]]])("what is encoded is decoded: %j", (frames) => {
  expect(decodeFrames(PluginFrame, encodeFrames(frames))).toEqual({ ok: true, frames });
});

test("fields that this version does not know are kept", () => {
  const frame = { type: "hello_ack", later: 1 };
  expect(decodeFrames(BridgeFrame, JSON.stringify(frame))).toEqual({ ok: true, frames: [frame] });
});

test.each([
  ["{", "the message is not JSON"],
  ['"ping"', "frame: "],
  ["null", "frame: "],
  ['{"type":"reply"}', "content: "],
  ['{"type":"nothing"}', "type: "],
  ['{"type":"hello","pid":1.5,"openclaw_session":"a"}', "pid: "],
  ['[{"type":"ping"},{"type":"hello"}]', "pid: "],
])("%s is refused with the place of the fault", (data, message) => {
  const decoded = decodeFrames(PluginFrame, data);
  expect(decoded).toEqual({ ok: false, message: expect.stringContaining(message) });
});
