import { expect, test } from "vitest";
import { answerParts, answerTo, isAfterTool, MESSAGE_BREAK } from "./answer.ts";
import { canariesIn, orderIn, promptOf, sessionOf } from "./order.ts";

const order = { canary: "w3.s1.17", parts: 4, everyMs: 5, partBytes: 20, usesTool: true };

test("an order is read from its prompt, and from a text that tells earlier prompts first", () => {
  expect(orderIn(promptOf(order))).toEqual(order);
  const earlier = promptOf({ ...order, canary: "w3.s1.16" });
  expect(orderIn(`Earlier:\n${earlier}\nNow:\n${promptOf(order)}`)).toEqual(order);
  expect(orderIn("hello")).toBeUndefined();
});

test("every part of an answer names its turn and its place, the tool's break included", () => {
  const parts = answerParts(order);
  expect(parts.map((part) => part.trimStart().split(".....")[0])).toEqual([
    "[w3.s1.17 1/4",
    "[w3.s1.17 2/4",
    "[w3.s1.17 3/4",
    "[w3.s1.17 4/4",
    expect.stringMatching(/^\[w3\.s1\.17 end [0-9a-f]{12}\]$/),
  ]);
  expect(parts.map((part) => part.startsWith(MESSAGE_BREAK))).toEqual([false, false, true, false, false]);
  expect(isAfterTool({ ...order, parts: 1 }, 1)).toBe(false);
  expect(canariesIn(answerTo(order))).toEqual([order.canary]);
  expect(sessionOf(order.canary)).toBe("w3.s1");
});

test("the checksum tells answers apart that look alike", () => {
  const other = { ...order, partBytes: 21 };
  expect(answerParts(order).at(-1)).not.toBe(answerParts(other).at(-1));
});
