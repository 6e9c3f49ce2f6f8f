import { readFileSync, statSync, writeFileSync } from "node:fs";
import { afterEach, beforeEach, expect, test } from "vitest";
import { tempFolder, type TempFolder } from "@synthesis/testkit";
import { apiKeyDigest, apiKeyFile, makeApiKey, readApiKey } from "../src/api-key.ts";

let folder: TempFolder;
beforeEach(async () => {
  folder = await tempFolder();
});
afterEach(async () => folder[Symbol.asyncDispose]());

test("a made key is random, 256 bits, and only this user's to read", () => {
  makeApiKey(folder.path);
  const key = readApiKey(apiKeyFile(folder.path));
  expect(key).toMatch(/^sk-synthesis-[\w-]{43}$/);
  expect(statSync(apiKeyFile(folder.path)).mode & 0o777).toBe(0o600);
});

test("a key that is there is never overwritten", () => {
  makeApiKey(folder.path);
  const before = readFileSync(apiKeyFile(folder.path), "utf8");
  makeApiKey(folder.path);
  expect(readFileSync(apiKeyFile(folder.path), "utf8")).toBe(before);
});

test("a key may be surrounded by white space", () => {
  writeFileSync(folder.join("k"), "  sixteen-letters!\r\n\n");
  expect(readApiKey(folder.join("k"))).toBe("sixteen-letters!");
});

test("a short key and a missing one are refused, naming the file", () => {
  writeFileSync(folder.join("short"), "fifteen-letters\n");
  expect(() => readApiKey(folder.join("short"))).toThrow(
    `${folder.join("short")}: the API key is shorter than 16 characters`,
  );
  expect(() => readApiKey(folder.join("none"))).toThrow(
    `${folder.join("none")}: the API key cannot be read (ENOENT)`,
  );
});

test("its digest is SHA-256 in hex", () => {
  expect(apiKeyDigest("abc")).toBe("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
});
