import { mkdir, symlink, writeFile } from "node:fs/promises";
import type { Settings } from "@synthesis/config";
import { tempFolder, type TempFolder } from "@synthesis/testkit";
import { afterEach, beforeEach, expect, test } from "vitest";
import { resolveWorkspace } from "../src/workspace-resolver.ts";
import { settingsIn } from "./support/settings.ts";

let folder: TempFolder;
let settings: Settings;
beforeEach(async () => {
  folder = await tempFolder();
  settings = await settingsIn(folder);
  await mkdir(folder.join("root-evil", "x"), { recursive: true });
  await symlink("/etc", folder.join("root", "to-etc"));
  await symlink(folder.join("a"), folder.join("root", "to-a"));
  await symlink(folder.join("root", "site"), folder.join("root", "to-site"));
  await symlink(folder.join("root"), folder.join("to-root"));
  await writeFile(folder.join("root", "file"), "");
});
afterEach(async () => folder[Symbol.asyncDispose]());

/** `ROOT` in what is asked stands for the test's folder. */
async function resolve(asked: string): Promise<{ name: string; path: string }> {
  const { name, path } = await resolveWorkspace(asked.replaceAll("ROOT", folder.path), settings);
  return { name, path: path.replace(folder.path, "ROOT") };
}

const hashed = (name: string) => expect.stringMatching(new RegExp(`^${name}~[0-9a-f]{12}$`)) as string;

test.for<[asked: string, name: string, path: string]>([
  ["a", "a", "ROOT/a"],
  ["ROOT/a", "a", "ROOT/a"],
  ["ROOT/a/", "a", "ROOT/a"],
  ["ROOT/root/../b", "b", "ROOT/b"],
  ["site", hashed("site"), "ROOT/root/site"],
  ["./site/", hashed("site"), "ROOT/root/site"],
  ["ROOT/root/site", hashed("site"), "ROOT/root/site"],
  ["ROOT/to-root/site", hashed("site"), "ROOT/root/site"],
  ["to-site", hashed("site"), "ROOT/root/site"],
  ["nested/deep", hashed("deep"), "ROOT/root/nested/deep"],
  ["nested/../site", hashed("site"), "ROOT/root/site"],
])("%s is the workspace %s at %s", async ([asked, name, path]) => {
  expect(await resolve(asked)).toEqual({ name, path });
});

test.for([
  "..",
  ".",
  "../a",
  "../root-evil",
  "../root-evil/x",
  "site/../..",
  "ROOT/root",
  "ROOT/root/..",
  "ROOT/root-evil",
  "ROOT/root-evil/x",
  "ROOT/root/../root-evil/x",
  "/",
  "/etc",
  "/etc/passwd",
  "to-etc",
  "to-etc/ssl",
  "ROOT/root/to-etc",
  "to-a",
  "file",
  "missing",
  "ROOT/root/missing",
  "%2e%2e",
  "~",
  "~root",
  "a\u0000",
  "site\u0000/../..",
  "/etc\u0000",
  "__proto__",
  "constructor",
  "A",
  "x".repeat(4096),
])("%j may not be opened", async (asked) => {
  await expect(resolve(asked)).rejects.toMatchObject({
    error: {
      code: "workspace_not_allowed",
      message: expect.stringContaining("use one of the configured ones (a, b, gone)") as string,
    },
  });
});

test("a configured workspace whose folder is missing, or a file, is not found", async () => {
  await expect(resolve("gone")).rejects.toMatchObject({ error: { code: "workspace_not_found" } });
  await writeFile(folder.join("gone"), "");
  await expect(resolve("gone")).rejects.toThrow('the folder of workspace "gone" does not exist');
});

test("a configured folder below a root keeps its configured name, however it is asked for", async () => {
  settings = { ...settings, workspaces: { mine: folder.join("root", "site") } };
  for (const asked of ["mine", "site", "to-site", "ROOT/root/site", "ROOT/to-root/site"])
    expect(await resolve(asked)).toEqual({ name: "mine", path: "ROOT/root/site" });
});

test("a configured folder that is a link is its target", async () => {
  settings = { ...settings, workspaces: { mine: folder.join("to-root", "site") } };
  expect(await resolve("mine")).toEqual({ name: "mine", path: "ROOT/root/site" });
  expect(await resolve("ROOT/root/site")).toEqual({ name: "mine", path: "ROOT/root/site" });
});

test("folders with one name in two roots are two workspaces, and a root that is missing is none", async () => {
  await mkdir(folder.join("other", "site"), { recursive: true });
  settings = { ...settings, roots: [folder.join("nowhere"), folder.join("root"), folder.join("other")] };
  const [first, second] = [await resolve("ROOT/root/site"), await resolve("ROOT/other/site")];
  expect(first.name).not.toBe(second.name);
  expect(await resolve("site")).toEqual(first);
});

test("without roots the message says so, and a hostile name comes back harmless", async () => {
  settings = { ...settings, roots: [] };
  await expect(resolve("\u001B[2J\n")).rejects.toThrow('workspace "?[2J?" may not be opened');
  await expect(resolve("site")).rejects.toThrow("no roots are configured");
});

test("an odd folder name makes a readable workspace name", async () => {
  await mkdir(folder.join("root", `ü b${"c".repeat(60)}`));
  const { name } = await resolve(`ü b${"c".repeat(60)}`);
  expect(name).toMatch(/^__bc{37}~[0-9a-f]{12}$/);
});
