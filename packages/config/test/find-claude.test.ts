import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { delimiter } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { fakeClaudeCommand, pinnedClaude, tempFolder, type TempFolder } from "@synthesis/testkit";
import { findClaude, hasClaude } from "../src/find-claude.ts";
import { findProgram } from "../src/find-program.ts";

let folder: TempFolder;
beforeEach(async () => {
  folder = await tempFolder();
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await folder[Symbol.asyncDispose]();
});

test("the user's own claude on PATH goes before the pinned one", async () => {
  const fake = await fakeClaudeCommand(folder.path);
  vi.stubEnv("PATH", folder.path);
  expect(findClaude()).toBe(fake);
});

test("without one on PATH the pinned one is taken, but only for the name `claude`", () => {
  vi.stubEnv("PATH", folder.path);
  expect(findClaude()).toBe(pinnedClaude());
  expect(hasClaude()).toBe(true);
  expect(findClaude("claude-next")).toBe("claude-next");
  expect(findClaude("/no/such/claude")).toBe("/no/such/claude");
});

test("only an executable file is a program, and only absolute folders of PATH are searched", () => {
  mkdirSync(folder.join("dir", "prog"), { recursive: true });
  writeFileSync(folder.join("prog"), "#!/bin/sh\n");
  const path = ["", ".", "relative", folder.join("dir"), folder.path].join(delimiter);
  expect(findProgram("prog", path)).toBeUndefined();
  chmodSync(folder.join("prog"), 0o755);
  expect(findProgram("prog", path)).toBe(folder.join("prog"));
  expect(findProgram(folder.join("prog"), "")).toBe(folder.join("prog"));
});
