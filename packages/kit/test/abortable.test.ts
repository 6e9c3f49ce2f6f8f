import { expect, test } from "vitest";
import { abortable } from "../src/abortable.ts";

test("a promise that settles first is passed on", async () => {
  const { signal } = new AbortController();
  await expect(abortable(Promise.resolve(7), signal)).resolves.toBe(7);
  await expect(abortable(Promise.reject(new Error("no")), signal)).rejects.toThrow("no");
});

test("a signal that aborts first, or has aborted, rejects with its reason", async () => {
  const owner = new AbortController();
  const waiting = expect(abortable(new Promise(() => {}), owner.signal)).rejects.toThrow("enough");
  owner.abort(new Error("enough"));
  await waiting;
  await expect(abortable(Promise.resolve(7), owner.signal)).rejects.toThrow("enough");
});
