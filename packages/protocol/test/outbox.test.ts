import { expect, test } from "vitest";
import { Outbox } from "../src/plugin-client/outbox.ts";
import type { TurnFrame } from "../src/plugin-client/turn.ts";

const part = (content: string): TurnFrame => ({ type: "reply", content, final: false, message_id: "t" });
const failure = (message: string) => ({
  type: "failure",
  message: expect.stringContaining(message),
  message_id: "t",
});

/** The outbox of turn `t` and the sockets it was given: what each was written, until it refuses. */
function rig() {
  const outbox = new Outbox();
  outbox.begin("t");
  const connect = (received: number | undefined, room = Infinity) => {
    const written: TurnFrame[] = [];
    const send = (frame: TurnFrame) => written.length < room && written.push(frame) > 0;
    return { isWhole: outbox.connect(send, received), written };
  };
  return { outbox, connect };
}

test.each([
  { received: 0, again: ["a", "b", "c", "d"] },
  { received: 1, again: ["b", "c", "d"] },
  { received: 2, again: ["c", "d"] },
])("after $received received frames the rest is sent again, in order", ({ received, again }) => {
  const { outbox, connect } = rig();
  const first = connect(undefined);
  for (const text of ["a", "b"]) outbox.push(part(text));
  expect(first.written).toEqual([part("a"), part("b")]);
  expect(outbox.disconnect()).toBe(true);
  outbox.push(part("c"));
  const second = connect(received);
  outbox.push(part("d"));
  expect(second).toEqual({ isWhole: true, written: again.map(part) });
});

test("a socket that refuses in the middle of it loses nothing", () => {
  const { outbox, connect } = rig();
  for (const text of ["a", "b", "c"]) outbox.push(part(text));
  expect(connect(0, 2).written).toEqual([part("a"), part("b")]);
  outbox.push(part("d"));
  expect(connect(1).written).toEqual([part("b"), part("c"), part("d")]);
});

test("without a word of what arrived the turn fails, unless nothing was sent", () => {
  const { outbox, connect } = rig();
  outbox.push(part("a"));
  expect(connect(undefined)).toEqual({ isWhole: true, written: [part("a")] });
  outbox.disconnect();
  expect(connect(undefined)).toEqual({ isWhole: false, written: [failure("does not say")] });
});

test.each([
  { title: "1,024 parts", count: 1_025, text: "x" },
  { title: "4 MiB", count: 17, text: "x".repeat(256 * 1024) },
])("of more than $title sent, the last are kept: a loss before them fails the turn", ({ count, text }) => {
  const { outbox, connect } = rig();
  connect(undefined);
  for (let index = 0; index < count; index += 1) expect(outbox.push(part(text))).toBe(true);
  expect(connect(1)).toMatchObject({ isWhole: true, written: { length: count - 1 } });
  expect(connect(0)).toEqual({ isWhole: false, written: [failure("1024 parts or 4 MiB ago")] });
});

test.each([
  { title: "1,024 parts", count: 1_024, text: "x" },
  { title: "4 MiB", count: 16, text: "x".repeat(256 * 1024) },
])("more than $title without a connection fail the turn", ({ count, text }) => {
  const { outbox, connect } = rig();
  for (let index = 0; index < count; index += 1) expect(outbox.push(part(text))).toBe(true);
  expect(outbox.push(part(text))).toBe(false);
  expect(connect(0).written).toEqual([failure("without a connection")]);
});

test("the first failure stays, is sent again until it arrives, and then no more", () => {
  const { outbox, connect } = rig();
  connect(undefined);
  for (const text of ["a", "b"]) outbox.push(part(text));
  outbox.disconnect();
  outbox.fail("refused");
  expect(connect(1)).toEqual({ isWhole: false, written: [failure("refused")] });
  expect(connect(1)).toEqual({ isWhole: true, written: [failure("refused")] });
  expect(connect(2)).toEqual({ isWhole: true, written: [] });
});

test("the next turn's beginning forgets the earlier one", () => {
  const { outbox, connect } = rig();
  connect(undefined);
  outbox.push(part("a"));
  outbox.begin("next");
  expect(outbox.turnId).toBe("next");
  expect(connect(0).written).toEqual([]);
});

test("an outbox without a turn has nothing to fail", () => {
  const outbox = new Outbox();
  outbox.fail("refused");
  expect(outbox.connect(() => true, undefined)).toBe(true);
});
