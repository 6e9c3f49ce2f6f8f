import { expect, test } from "vitest";
import { Outbox, type OutboundFrame, type OutboxLink } from "../src/plugin-client/outbox.ts";

const part = (content: string): OutboundFrame => ({ type: "reply", content, final: false, message_id: "t" });
/** One that cannot be merged with its neighbours. */
const file = (name: string): OutboundFrame => ({
  ...part(""),
  type: "reply",
  content: "",
  attachments: [{ name, media_type: "text/plain", data: "" }],
});
const failure = (message: string) => ({
  type: "failure",
  message: expect.stringContaining(message),
  message_id: "t",
});

/** The outbox of turn `t` and the sockets it was given: what each was written, until it refuses. */
function rig() {
  const outbox = new Outbox();
  outbox.begin("t");
  const connect = (received: number | undefined, room = Infinity, more: Partial<OutboxLink> = {}) => {
    const written: OutboundFrame[] = [];
    const send = (frame: OutboundFrame) => written.length < room && written.push(frame) > 0;
    return { isWhole: outbox.connect({ send, received, ...more }), written };
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
  outbox.disconnect();
  outbox.push(part("c"));
  const second = connect(received);
  outbox.push(part("d"));
  expect(second).toEqual({ isWhole: true, written: again.map(part) });
});

test("a socket that refuses in the middle of it loses nothing", () => {
  const { outbox, connect } = rig();
  for (const name of ["a", "b", "c"]) outbox.push(file(name));
  expect(connect(0, 2).written).toEqual([file("a"), file("b")]);
  outbox.push(file("d"));
  expect(connect(1).written).toEqual([file("b"), file("c"), file("d")]);
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
  { title: "1,024 parts", count: 1_024, frame: file("x") },
  { title: "4 MiB", count: 16, frame: part("x".repeat(256 * 1024)) },
])("more than $title without a connection fail the turn", ({ count, frame }) => {
  const { outbox, connect } = rig();
  for (let index = 0; index < count; index += 1) expect(outbox.push(frame)).toBe(true);
  expect(outbox.push(frame)).toBe(false);
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
  expect(outbox.connect({ send: () => true, received: undefined })).toBe(true);
});

test("P-13 to a bridge that takes numbers the frames are numbered, also those that are sent again", () => {
  const { outbox, connect } = rig();
  const isNumbered = { isNumbered: true };
  expect(connect(undefined, Infinity, isNumbered).written).toEqual([]);
  for (const name of ["a", "b", "c"]) outbox.push(file(name));
  const again = connect(1, Infinity, isNumbered);
  outbox.push(file("d"));
  expect(again.written).toEqual([
    { ...file("b"), seq: 2 },
    { ...file("c"), seq: 3 },
    { ...file("d"), seq: 4 },
  ]);
});

test("P-13 what is acknowledged is not kept: it cannot be sent again, and makes room", () => {
  const { outbox, connect } = rig();
  connect(undefined);
  for (const name of ["a", "b", "c"]) outbox.push(file(name));
  outbox.acknowledge("another", 3);
  outbox.acknowledge("t", 2);
  expect(connect(2)).toEqual({ isWhole: true, written: [file("c")] });
  expect(connect(1)).toMatchObject({ isWhole: false });
});

test("an acknowledgement of what was not sent drops nothing", () => {
  const { outbox, connect } = rig();
  outbox.push(file("a"));
  outbox.acknowledge("t", 7);
  expect(connect(0).written).toEqual([file("a")]);
});

test("P-7 a turn that is taken up goes on where its predecessor's frames end", () => {
  const { outbox, connect } = rig();
  outbox.begin("t", 4);
  outbox.push(file("a"));
  expect(connect(4, Infinity, { isNumbered: true }).written).toEqual([{ ...file("a"), seq: 5 }]);
});

test("texts that wait are sent as one, up to the longest that fits; others keep their places", () => {
  const { outbox, connect } = rig();
  const thought = (text?: string): OutboundFrame => ({
    type: "progress",
    message_id: "t",
    ...(text === undefined ? {} : { text }),
  });
  const end: OutboundFrame = { type: "reply", content: "!", final: true, message_id: "t" };
  const said = [
    part("a"),
    part("b"),
    thought(),
    thought("x"),
    thought("y"),
    part("c"),
    file("f"),
    part("d"),
    end,
  ];
  for (const frame of said) outbox.push(frame);
  expect(connect(0).written).toEqual([part("ab"), thought("xy"), part("c"), file("f"), part("d"), end]);
  const long = part("x".repeat(200 * 1024));
  outbox.begin("t");
  outbox.disconnect();
  for (const frame of [long, long]) outbox.push(frame);
  expect(connect(0).written).toEqual([long, long]);
});

test("P-19 more than half of the frames that a connection may send at once wait, and are sent by and by", async () => {
  const { outbox, connect } = rig();
  const { written } = connect(undefined, Infinity, { framesPerSecond: 100 });
  for (let index = 0; index < 60; index += 1) outbox.push(file(String(index)));
  expect(written).toHaveLength(50);
  await expect.poll(() => written.length, { timeout: 5_000 }).toBe(60);
  expect(written).toEqual(Array.from({ length: 60 }, (_, index) => file(String(index))));
  for (let index = 0; index < 60; index += 1) outbox.push(file(String(index)));
  outbox.hurry();
  expect(written).toHaveLength(120);
});
