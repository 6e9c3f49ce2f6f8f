import { existsSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { eventually, expectClean, freePort, tempFolder } from "../src/index.ts";

expectClean();

test("eventually returns what holds at last and keeps the last failure", async () => {
  let count = 0;
  expect(await eventually(() => (expect(++count).toBe(3), count))).toBe(3);
  const failing = eventually(() => {
    throw new Error(`failure ${++count}`);
  }, 30);
  await expect(failing).rejects.toThrow(/did not hold within 30 ms: failure \d+/);
});

test("a temporary folder leaves room for a socket's name and goes away", async () => {
  let path = "";
  {
    await using folder = await tempFolder();
    path = folder.path;
    expect(path.length).toBeLessThan(60);
    await writeFile(folder.join("file"), "x");
  }
  expect(existsSync(path)).toBe(false);
});

test("a free port is a port", async () => {
  expect(await freePort()).toBeGreaterThan(1023);
});
