import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { createLogger } from "@synthesis/kit";
import { expectClean, tempFolder, type TempFolder } from "@synthesis/testkit";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Epochs } from "../src/epochs.ts";

expectClean();

const HOUR_MS = 3_600_000;
const log = createLogger("error");
let folder: TempFolder;
beforeEach(async () => {
  folder = await tempFolder();
  vi.useFakeTimers({ toFake: ["Date"], now: Date.parse("2026-01-01") });
});
afterEach(async () => {
  vi.useRealTimers();
  await folder[Symbol.asyncDispose]();
});

const epochs = () => new Epochs(folder.path, log);

test.for([
  { title: "stands still", jumpMs: 0 },
  { title: "is set back by an hour", jumpMs: -HOUR_MS },
  { title: "is set forward by an hour", jumpMs: HOUR_MS },
])("epochs grow within a run and from run to run when the clock $title", ({ jumpMs }) => {
  const given: number[] = [];
  for (let run = 0; run < 3; run++) {
    const mine = epochs();
    given.push(mine.next(), mine.next());
    vi.setSystemTime(Date.now() + jumpMs);
    given.push(mine.next());
  }
  expect(given).toEqual([...new Set(given)].sort((a, b) => a - b));
});

test("they are not below those that came from the clock alone", () => {
  expect(epochs().next()).toBeGreaterThan(Date.now());
});

test.for([
  { title: "nothing", kept: "" },
  { title: "garbage", kept: "\0\0garbage" },
  { title: "a number that cannot be counted on from", kept: String(Number.MAX_SAFE_INTEGER) },
])("where $title was kept, the clock is what they go by", ({ kept }) => {
  writeFileSync(folder.join("epoch"), kept);
  const epoch = epochs().next();
  expect(epoch - Date.now()).toBe(1);
  expect(Number(readFileSync(folder.join("epoch"), "utf8"))).toBe(Date.now());
  expect(readdirSync(folder.path)).toEqual(["epoch"]);
});

test("where nothing can be kept they are given all the same", () => {
  mkdirSync(folder.join("epoch.new"));
  const mine = epochs();
  expect(mine.next()).toBeLessThan(mine.next());
});
