import { expect, test } from "vitest";
import { backoffMs } from "../src/plugin-client/backoff.ts";

test.each([
  [0, 50, 100],
  [1, 100, 200],
  [5, 1600, 3200],
  [6, 2500, 5000],
  [5000, 2500, 5000],
])("attempt %i waits from %i to %i ms", (attempt, shortest, longest) => {
  expect(backoffMs(attempt, () => 0)).toBe(shortest);
  expect(backoffMs(attempt, () => 1)).toBe(longest);
});
