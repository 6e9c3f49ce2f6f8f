import {
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
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
const locator = () =>
  new FileLocator({ stateDir: folder.path, limits: { filesKeptMs: 60_000 }, log: createLogger("error") });

function keep(path: string, id: string): string {
  const kept = folder.join("files", workspaceHash(path), id);
  mkdirSync(kept, { recursive: true });
  writeFileSync(`${kept}/a.txt`, "a");
  return kept;
}

/** Makes what is there so old. */
function age(path: string, seconds: number): void {
  const at = Date.now() / 1_000 - seconds;
  utimesSync(path, at, at);
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

test("a record is replaced as a whole: what was there is not written over", () => {
  mkdirSync(folder.join("workspaces"));
  const record = folder.join("workspaces", workspaceHash("/srv/a"));
  writeFileSync(record, "/srv");
  writeFileSync(`${record}.new`, "left by a crash");
  linkSync(record, folder.join("before"));
  locator().remember("/srv/a");
  expect(readFileSync(record, "utf8")).toBe("/srv/a");
  expect(readFileSync(folder.join("before"), "utf8")).toBe("/srv");
  expect(readdirSync(folder.join("workspaces"))).toEqual([workspaceHash("/srv/a")]);
});

test("a file that is too old is in no workspace", async () => {
  locator().remember("/srv/a");
  age(`${keep("/srv/a", file)}/a.txt`, 61);
  const kept = keep("/srv/a", other);
  age(`${kept}/a.txt`, 59);
  age(kept, 61); // the file's own age counts
  await expect(locator().locate(file)).rejects.toMatchObject(unknown);
  expect(await locator().locate(other)).toBe("/srv/a");
});

test("where nothing can be kept the workspace is opened all the same", () => {
  writeFileSync(folder.join("workspaces"), "");
  expect(() => locator().remember("/srv/a")).not.toThrow();
});
