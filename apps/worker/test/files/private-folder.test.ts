import { mkdir, realpath, stat, symlink, writeFile } from "node:fs/promises";
import { expectClean, tempFolder } from "@synthesis/testkit";
import { expect, test } from "vitest";
import { privateFolder } from "../../src/files/private-folder.ts";
import { LogRecorder } from "../support/log-recorder.ts";

expectClean();

test("a folder is made for its user only, and told by its real path", async () => {
  await using folder = await tempFolder();
  await mkdir(folder.join("real"));
  await symlink(folder.join("real"), folder.join("link"));
  const log = new LogRecorder();
  const made = privateFolder(folder.join("link", "a", "b"), log);
  expect(made).toBe(`${await realpath(folder.path)}/real/a/b`);
  expect((await stat(made)).mode & 0o777).toBe(0o700);
  expect(privateFolder(made, log)).toBe(made);
  expect(log.lines).toEqual([]);
});

test("one that cannot be made is logged, and may be there later", async () => {
  await using folder = await tempFolder();
  await writeFile(folder.join("file"), "no folder");
  const log = new LogRecorder();
  expect(privateFolder(folder.join("file", "a"), log)).toBe(folder.join("file", "a"));
  expect(log.fieldsOf("files.folder_not_made")).toEqual([{ cause: "ENOTDIR" }]);
});
