import { setImmediate as nextLoopTurn } from "node:timers/promises";
import { expect, test } from "vitest";
import { LoopBatch } from "../src/loop-batch.ts";

function recording() {
  const flushed: string[][] = [];
  return { flushed, batch: new LoopBatch<string>((items) => flushed.push(items)) };
}

test("what is added within one loop turn is handed over once, in order", async () => {
  const { flushed, batch } = recording();
  batch.add("a");
  await Promise.resolve();
  batch.add("b");
  process.nextTick(() => batch.add("c"));
  expect(flushed).toEqual([]);
  await nextLoopTurn();
  expect(flushed).toEqual([["a", "b", "c"]]);
});

test("each loop turn has a flush of its own, and a quiet one has none", async () => {
  const { flushed, batch } = recording();
  batch.add("a");
  await nextLoopTurn();
  await nextLoopTurn();
  batch.add("b");
  await nextLoopTurn();
  expect(flushed).toEqual([["a"], ["b"]]);
});

test("flush hands over at once and leaves nothing for the end of the loop turn", async () => {
  const { flushed, batch } = recording();
  batch.add("a");
  batch.flush();
  batch.flush();
  expect(flushed).toEqual([["a"]]);
  await nextLoopTurn();
  expect(flushed).toEqual([["a"]]);
});

test("what a flush adds goes with the next one", async () => {
  const flushed: string[][] = [];
  const batch: LoopBatch<string> = new LoopBatch((items) => {
    flushed.push(items);
    if (flushed.length === 1) batch.add("again");
  });
  batch.add("a");
  await nextLoopTurn();
  await nextLoopTurn();
  expect(flushed).toEqual([["a"], ["again"]]);
});
