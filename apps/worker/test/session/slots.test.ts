import { expect, test, vi } from "vitest";
import { Slots } from "../../src/session/slots.ts";

const never = new AbortController().signal;

/** Slots of which all are taken. */
async function fullSlots(max: number, onShortage: () => void = () => {}): Promise<Slots> {
  const slots = new Slots(max, onShortage);
  for (let taken = 0; taken < max; taken++) await slots.acquire(never);
  return slots;
}

/** Waits for a slot and notes its name when it has it. */
function enqueue(slots: Slots, name: string, into: string[], signal = never): Promise<void> {
  return slots.acquire(signal).then(
    () => void into.push(name),
    (error: unknown) => void into.push(`${name} ${String(error)}`),
  );
}

test("slots are taken up to the bound without a shortage", async () => {
  const onShortage = vi.fn<() => void>();
  const slots = await fullSlots(3, onShortage);
  expect(slots.isShort).toBe(false);
  expect(onShortage).not.toHaveBeenCalled();
});

test("who finds none free waits, and the owner is told once for each", async () => {
  const onShortage = vi.fn<() => void>();
  const slots = await fullSlots(1, onShortage);
  const served: string[] = [];
  const waiting = [enqueue(slots, "a", served), enqueue(slots, "b", served)];
  expect(slots.isShort).toBe(true);
  expect(onShortage).toHaveBeenCalledTimes(2);
  slots.release();
  slots.release();
  await Promise.all(waiting);
  expect(slots.isShort).toBe(false);
});

test("a slot that is given back goes to the first in line", async () => {
  const slots = await fullSlots(1);
  const served: string[] = [];
  const [a, b] = [enqueue(slots, "a", served), enqueue(slots, "b", served)];
  slots.release();
  await a;
  expect(served).toEqual(["a"]);
  slots.release();
  await b;
  expect(served).toEqual(["a", "b"]);
});

test("a waiter that is aborted leaves the line with the signal's reason", async () => {
  const slots = await fullSlots(1);
  const served: string[] = [];
  const leaving = new AbortController();
  const waiting = [enqueue(slots, "a", served, leaving.signal), enqueue(slots, "b", served)];
  leaving.abort(new Error("gone"));
  slots.release();
  await Promise.all(waiting);
  expect(served).toEqual(["a Error: gone", "b"]);
});

test("an aborted signal takes no slot", async () => {
  const slots = new Slots(1, () => {});
  await expect(slots.acquire(AbortSignal.abort(new Error("gone")))).rejects.toThrow("gone");
  await slots.acquire(never);
  expect(slots.isShort).toBe(false);
});

test("an abort in the moment of the grant throws nobody else out of the line", async () => {
  const slots = await fullSlots(1);
  const served: string[] = [];
  const late = new AbortController();
  const waiting = [enqueue(slots, "a", served, late.signal), enqueue(slots, "b", served)];
  slots.release();
  late.abort(new Error("too late"));
  slots.release();
  await Promise.all(waiting);
  expect(served).toEqual(["a", "b"]);
});
