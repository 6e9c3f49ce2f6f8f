import { expect, test } from "vitest";
import { residentBytes } from "../src/resident-bytes.ts";

const MIB = 1024 * 1024;

test("a live process has its private memory, which grows with what it allocates", () => {
  const before = residentBytes(process.pid);
  expect(before).toBeGreaterThan(5 * MIB);
  const block = Buffer.alloc(64 * MIB, 1);
  expect(residentBytes(process.pid) - before).toBeGreaterThan(48 * MIB);
  expect(block[0]).toBe(1);
});

test("a process that is gone has none", () => {
  expect(residentBytes(2 ** 30)).toBe(0);
});
