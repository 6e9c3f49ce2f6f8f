import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { AccountHold } from "../src/account-hold.ts";

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

test("a hold ends after the time it was for, also where the clock was set back meanwhile", () => {
  const told: (number | undefined)[] = [];
  const hold = new AccountHold((until) => told.push(until));
  const until = Date.now() + 60_000;
  hold.hold(until);
  expect(hold.until).toBe(until);
  vi.setSystemTime(Date.now() - 3_600_000);
  vi.advanceTimersByTime(60_000);
  expect(told).toEqual([until, undefined]);
  expect(hold.until).toBeUndefined();
});
