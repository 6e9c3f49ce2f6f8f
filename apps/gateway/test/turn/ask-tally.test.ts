import { expect, test } from "vitest";
import { AskTally } from "../../src/turn/ask-tally.ts";
import type { TurnEvent } from "../../src/worker/turn-listener.ts";
import { makeAsk } from "../support/fake-asks.ts";

const turn = "t";
const ask = makeAsk();
const text = (seq: number): TurnEvent => ({ type: "delta", turn, seq, text: "a" });
const asked = (seq: number): TurnEvent => ({ type: "asked", turn, seq, ask });
const settled = (seq: number): TurnEvent => ({
  type: "ask_settled",
  turn,
  seq,
  ask: ask.id,
  behavior: "allow",
  by: "api",
});

/** Whether its agent may be asking after each of these events. */
function after(heard: "from-start" | "joined", ...events: readonly TurnEvent[]): boolean[] {
  const tally = new AskTally(heard);
  return events.map((event) => {
    tally.hear(event);
    return tally.mayBeAsking;
  });
}

test("a turn may be asking from the ask to its verdict, however often it is told again", () => {
  expect(after("from-start", text(1), asked(2), text(3), settled(4), text(5))).toEqual([
    false,
    true,
    true,
    false,
    false,
  ]);
  expect(after("from-start", text(1), asked(2), settled(3), text(1), asked(2)).at(-1)).toBe(false);
});

test("of a turn whose beginning was not heard, or not all, nobody knows", () => {
  expect(new AskTally("joined").mayBeAsking).toBe(true);
  expect(after("joined", text(7), text(8))).toEqual([true, true]);
  expect(after("joined", text(1), text(2))).toEqual([false, false]);
  expect(after("from-start", text(1), text(3), text(4))).toEqual([false, true, true]);
});
