import { mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { createLogger } from "@synthesis/kit";
import { expectClean, tempFolder, type TempFolder } from "@synthesis/testkit";
import { afterEach, beforeEach, expect, test } from "vitest";
import { FileLocator } from "../src/file-locator.ts";
import { workspaceHash } from "../src/workspace-hash.ts";

expectClean();

const file = `file-${"a".repeat(32)}`;
const other = `file-${"b".repeat(32)}`;
const unknown = { error: { code: "file_not_found" } };

let folder: TempFolder;
beforeEach(async () => {
  folder = await tempFolder();
});
afterEach(async () => folder[Symbol.asyncDispose]());

/** Of the supervisor that runs now; another one knows what this one left. */
const locator = () => new FileLocator(folder.path, createLogger("error"));

function keep(path: string, id: string): void {
  mkdirSync(folder.join("files", workspaceHash(path), id), { recursive: true });
}

test("a file is found in the workspace that has it, also by the next supervisor", async () => {
  const first = locator();
  for (const path of ["/srv/a", "/srv/ä b"]) first.remember(path);
  keep("/srv/a", other);
  keep("/srv/ä b", file);
  for (const each of [first, locator()]) {
    expect(await each.locate(file)).toBe("/srv/ä b");
    expect(await each.locate(other)).toBe("/srv/a");
  }
  expect(statSync(folder.join("workspaces")).mode & 0o777).toBe(0o700);
  expect(statSync(folder.join("workspaces", workspaceHash("/srv/a"))).mode & 0o777).toBe(0o600);
});

test("an id that nobody has is not found, whether there are files or none", async () => {
  await expect(locator().locate(file)).rejects.toMatchObject(unknown);
  keep("/srv/a", other);
  locator().remember("/srv/a");
  await expect(locator().locate(file)).rejects.toMatchObject(unknown);
});

test("what is no folder of a file is none", async () => {
  locator().remember("/srv/a");
  const files = folder.join("files", workspaceHash("/srv/a"));
  mkdirSync(files, { recursive: true });
  writeFileSync(folder.join("files", "stray"), "");
  writeFileSync(`${files}/${file}`, "");
  symlinkSync(folder.path, `${files}/${other}`);
  for (const id of [file, other]) await expect(locator().locate(id)).rejects.toMatchObject(unknown);
});

test.for([
  ["is gone", undefined],
  ["was cut", "/srv"],
  ["names another folder", "/etc"],
] as const)(
  "a file whose workspace's record %s is not found, till that workspace is opened",
  async ([, text]) => {
    keep("/srv/a", file);
    mkdirSync(folder.join("workspaces"));
    const record = folder.join("workspaces", workspaceHash("/srv/a"));
    if (text !== undefined) writeFileSync(record, text);
    await expect(locator().locate(file)).rejects.toMatchObject(unknown);
    locator().remember("/srv/a");
    expect(await locator().locate(file)).toBe("/srv/a");
    expect(readFileSync(record, "utf8")).toBe("/srv/a");
    expect(readdirSync(folder.join("workspaces"))).toHaveLength(1);
  },
);

test("where nothing can be kept the workspace is opened all the same", () => {
  writeFileSync(folder.join("workspaces"), "");
  expect(() => locator().remember("/srv/a")).not.toThrow();
});
