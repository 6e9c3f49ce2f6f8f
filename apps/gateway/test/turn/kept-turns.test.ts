import { expect, test, vi } from "vitest";
import { KeptTurns } from "../../src/turn/kept-turns.ts";
import type { LiveTurn } from "../../src/turn/live-turn.ts";

const turn = {} as LiveTurn;

test("a turn is found by its name, for its time", () => {
  vi.useFakeTimers({ toFake: ["performance"] });
  try {
    const kept = new KeptTurns();
    kept.keep("a", turn, 1_000);
    expect([kept.find("a"), kept.find("b")]).toEqual([turn, undefined]);
    vi.advanceTimersByTime(999);
    expect(kept.find("a")).toBe(turn);
    vi.advanceTimersByTime(1);
    expect(kept.find("a")).toBeUndefined();
  } finally {
    vi.useRealTimers();
  }
});

test("no more than a thousand are kept, the latest ones", () => {
  const kept = new KeptTurns();
  for (let count = 0; count <= 1_000; count++) kept.keep(`${count}`, turn, 60_000);
  expect([kept.find("0"), kept.find("1"), kept.find("1000")]).toEqual([undefined, turn, turn]);
});
