import { writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { fakeClaudeCommand, tempFolder, type TempFolder } from "@synthesis/testkit";
import { apiKeyDigest } from "../src/api-key.ts";
import { loadSettings, type Overrides } from "../src/load-settings.ts";
import { Settings } from "../src/settings.ts";
import { instance, smallest } from "./support/write-config.ts";

const key = "sk-the-generated-key";
let folder: TempFolder;
beforeEach(async () => {
  folder = await tempFolder();
});
afterEach(async () => folder[Symbol.asyncDispose]());

function load(more = "", overrides: Overrides = {}): Settings {
  return loadSettings(instance(folder.path, `${smallest}${more}`, key), overrides);
}

test("settings are plain data that survive the way over IPC", () => {
  const settings = load();
  expect(Settings.parse(structuredClone(settings))).toEqual(settings);
});

test("an override beats the file, the file beats the default", () => {
  const file = "server: { host: localhost, port: 9000 }\nlog: { level: error }\n";
  expect(load().server).toMatchObject({ host: "127.0.0.1", port: 8787 });
  expect(load(file).server).toMatchObject({ host: "localhost", port: 9000 });
  expect(load(file).logLevel).toBe("error");
  const settings = load(file, { host: "::1", port: 0, logLevel: "debug" });
  expect(settings.server).toMatchObject({ host: "::1", port: 0 });
  expect(settings.logLevel).toBe("debug");
});

test("a network address as override is refused unless the file names the hosts", () => {
  expect(() => load("", { host: "0.0.0.0" })).toThrow("host 0.0.0.0 is a network address");
  expect(load('server: { allowedHosts: ["box.lan"] }\n', { host: "0.0.0.0" }).server.host).toBe("0.0.0.0");
});

test("paths are taken from the file's folder, ~ from home", () => {
  const settings = load("roots: [~/code, ../up, /abs]\n");
  expect(settings.workspaces).toEqual({ demo: folder.join("state", "demo") });
  expect(settings.roots).toEqual([join(homedir(), "code"), folder.join("up"), "/abs"]);
});

test("keys are known by digest only; the generated one comes first and is generic", () => {
  writeFileSync(folder.join("claw"), "sk-the-key-of-openclaw\n");
  const settings = load("keys: { claw: { file: ../claw, client: openclaw } }\n");
  expect(settings.keys).toEqual([
    { name: "default", sha256: apiKeyDigest(key), client: "generic" },
    { name: "claw", sha256: apiKeyDigest("sk-the-key-of-openclaw"), client: "openclaw" },
  ]);
  expect(JSON.stringify(settings)).not.toContain("sk-the");
});

test("a key in the environment takes the place of the generated one, which need not be there", () => {
  const locations = instance(folder.path, smallest);
  expect(() => loadSettings(locations, {})).toThrow("the API key cannot be read");
  const { keys } = loadSettings(locations, { apiKey: "sixteen-letters!" });
  expect(keys).toEqual([{ name: "default", sha256: apiKeyDigest("sixteen-letters!"), client: "generic" }]);
  for (const apiKey of ["", "fifteen-letters"])
    expect(() => loadSettings(locations, { apiKey })).toThrow("SYNTHESIS_API_KEY is shorter than 16");
});

test("agents get their defaults", () => {
  const asks = { mode: "hold", deadlineMs: 600_000, by: ["chat", "api", "cli"], allow: [], deny: [] };
  const { agents } = load("  helper: { workspace: demo, model: haiku }\n");
  expect(agents).toEqual({
    echo: {
      driver: "command",
      workspace: "demo",
      command: ["{node}", "echo.ts"],
      env: {},
      files: "link",
      asks,
    },
    helper: {
      driver: "headless",
      workspace: "demo",
      model: "haiku",
      permissionMode: "default",
      onInterrupt: "report",
      instructions: "append",
      reasoning: "full",
      files: "link",
      asks,
    },
  });
});

test("claude.bin is found on PATH, or relative to the file; one that is not there stays as it is", async () => {
  const fake = await fakeClaudeCommand(folder.path);
  expect(load("claude: { bin: ../claude }\n").claude.bin).toBe(fake);
  expect(load("claude: { bin: node }\n").claude.bin).toMatch(/^\/.*\/node$/);
  expect(load("claude: { bin: no-such-program }\n").claude.bin).toBe("no-such-program");
});
