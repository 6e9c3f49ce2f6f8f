import { expect, test } from "vitest";
import { schedule } from "./faults/schedule.ts";
import { Random } from "./random.ts";

test("the same seed gives the same faults, another seed others", () => {
  const first = (seed: number) => {
    const faults = schedule(new Random(seed));
    return Array.from({ length: 200 }, () => faults.next().value);
  };
  expect(first(1)).toEqual(first(1));
  expect(first(1)).not.toEqual(first(2));
});

test("each choice is about as frequent as its weight", () => {
  const random = new Random(3);
  const drawn = Array.from({ length: 10_000 }, () => random.weighted({ rare: 1, frequent: 9, never: 0 }));
  expect(drawn.filter((choice) => choice === "rare").length / drawn.length).toBeCloseTo(0.1, 1);
  expect(drawn).not.toContain("never");
});
