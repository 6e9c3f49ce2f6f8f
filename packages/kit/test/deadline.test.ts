import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { sleep, TimeoutError, withDeadline } from "../src/deadline.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => {
  expect(vi.getTimerCount(), "timers left").toBe(0);
  vi.useRealTimers();
});

test("a promise in time is passed on, whether it resolves or rejects", async () => {
  await expect(withDeadline(Promise.resolve(7), 10, "it did not come")).resolves.toBe(7);
  await expect(withDeadline(Promise.reject(new Error("no")), 10, "it did not come")).rejects.toThrow("no");
});

test("a promise that is late is rejected by a TimeoutError that says what was waited for", async () => {
  const late = withDeadline(new Promise(() => {}), 250, "no answer");
  const failure = expect(late).rejects.toEqual(new TimeoutError("no answer within 250 ms"));
  await vi.advanceTimersByTimeAsync(250);
  await failure;
});

test("a sleep ends after its time, not before", async () => {
  let awake = false;
  const nap = sleep(100).then(() => (awake = true));
  await vi.advanceTimersByTimeAsync(99);
  expect(awake).toBe(false);
  await vi.advanceTimersByTimeAsync(1);
  await nap;
});

test("a sleep ends at once when its signal aborts, or has aborted", async () => {
  const owner = new AbortController();
  const nap = sleep(100_000, owner.signal);
  owner.abort();
  await nap;
  await sleep(100_000, owner.signal);
});
