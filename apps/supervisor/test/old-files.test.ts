import { existsSync, mkdirSync, readdirSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { createLogger } from "@synthesis/kit";
import { eventually, expectClean, tempFolder, type TempFolder } from "@synthesis/testkit";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { OldFiles } from "../src/old-files.ts";

expectClean();

const letters = ["a", "b", "c", "d", "e"] as const;
const [first, second, third, fourth, fifth] = letters.map((letter) => `file-${letter.repeat(32)}`);

let folder: TempFolder;
beforeEach(async () => {
  folder = await tempFolder();
});
afterEach(async () => {
  vi.useRealTimers();
  await folder[Symbol.asyncDispose]();
});

const oldFiles = () =>
  new OldFiles({ stateDir: folder.path, limits: { filesKeptMs: 60_000 }, log: createLogger("error") });

/** A file in a folder of files, so old; its own folder. */
function keep(path: string, seconds: number): string {
  const kept = folder.join(path);
  mkdirSync(kept, { recursive: true });
  writeFileSync(`${kept}/a.txt`, "a");
  age(`${kept}/a.txt`, seconds);
  return kept;
}

function age(path: string, seconds: number): void {
  const at = Date.now() / 1_000 - seconds;
  utimesSync(path, at, at);
}

test("what is too old goes, of every workspace; what is no file stays", async () => {
  const old = [keep(`files/one/${first}`, 61), keep(`files/two/${second}`, 61)];
  const empty = folder.join("files/one", third!);
  mkdirSync(empty);
  age(empty, 61);
  const foreign = keep("files/one/lost+found", 61);
  const outside = folder.join("outside");
  writeFileSync(outside, "secret");
  const link = folder.join("files/one", fourth!);
  symlinkSync(folder.path, link);
  const stray = folder.join("files/stray");
  writeFileSync(stray, "");
  const young = keep(`files/one/${fifth}`, 59);
  age(young, 61); // the file's own age counts
  const kept = [young, foreign, outside, link, stray];
  await oldFiles().tidy();
  expect([...old, empty].filter(existsSync)).toEqual([]);
  expect(kept.filter(existsSync)).toEqual(kept);
});

test("so does what clients sent, with the folders of sessions that have nothing more", async () => {
  keep(`received/one/session1/${first}`, 61);
  const young = keep(`received/one/session2/${second}`, 59);
  keep(`received/one/session2/${third}`, 61);
  writeFileSync(folder.join("received/one/stray"), "");
  await oldFiles().tidy();
  expect(readdirSync(folder.join("received/one")).toSorted()).toEqual(["session2", "stray"]);
  expect(readdirSync(folder.join("received/one/session2"))).toEqual([second]);
  expect(existsSync(`${young}/a.txt`)).toBe(true);
});

test("it goes on for as long as Synthesis runs", async () => {
  vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] });
  const files = oldFiles();
  const atStart = keep(`files/one/${first}`, 61);
  files.start();
  await eventually(() => expect(existsSync(atStart)).toBe(false));
  const kept = keep(`files/one/${second}`, 61);
  vi.advanceTimersByTime(3_600_000);
  await eventually(() => expect(existsSync(kept)).toBe(false));
  files.close();
  expect(vi.getTimerCount()).toBe(0);
});

test("without files there is nothing to tidy", async () => {
  await oldFiles().tidy();
  expect(readdirSync(folder.path)).toEqual([]);
});
