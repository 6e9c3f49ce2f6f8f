import { readFileSync, statSync, writeFileSync } from "node:fs";
import { configJsonSchema, locate, type Locations } from "@synthesis/config";
import { expectClean, fakeClaudeCommand, tempFolder, type TempFolder } from "@synthesis/testkit";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { prepareStateDir } from "../src/first-run.ts";
import { runCli } from "./support/run-cli.ts";

expectClean();
vi.setConfig({ testTimeout: 20_000, hookTimeout: 20_000 }); // real processes on a busy machine

let folder: TempFolder;
let locations: Locations;
beforeEach(async () => {
  folder = await tempFolder();
  locations = locate({ stateDir: folder.join("state") }, {});
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await folder[Symbol.asyncDispose]();
});

function prepare({ hasOwnConfig = false, hasOwnKey = false } = {}): string[] {
  const said: string[] = [];
  prepareStateDir(locations, { hasOwnConfig, hasOwnKey }, (what) => said.push(what.split(/ {2,}/)[0]!));
  return said;
}

const mode = (name: string) => statSync(folder.join("state", name)).mode & 0o777;

test("the first run makes a private state folder with key, configuration, schema and demo workspace", () => {
  expect(prepare()).toEqual(["state folder", "API key", "configuration", "demo workspace"]);
  expect([mode("."), mode("demo")]).toEqual([0o700, 0o700]);
  expect([mode("api-key"), mode("synthesis.config.yaml")]).toEqual([0o600, 0o600]);
  const schema: unknown = JSON.parse(
    readFileSync(folder.join("state", "synthesis.config.schema.json"), "utf8"),
  );
  expect(schema).toEqual(JSON.parse(JSON.stringify(configJsonSchema())));
});

test.for([true, false])(
  "the configuration it makes is fine (a claude CLI is there: %s)",
  async (withClaude) => {
    if (withClaude) await fakeClaudeCommand(folder.path);
    vi.stubEnv("PATH", withClaude ? folder.path : "/nonexistent");
    prepare();
    const { code, out } = await runCli(["check", "--state-dir", locations.stateDir], { PATH: folder.path });
    expect(code).toBe(0);
    expect(out).toContain(
      "agent       echo: command in demo ({node} {synthesis}/packages/echo-agent/src/main.ts)",
    );
    if (withClaude) expect(out).toContain(`agent       claude: headless in demo (${folder.join("claude")})`);
  },
);

test("a second run leaves everything as it is", () => {
  prepare();
  writeFileSync(locations.configFile, "# mine\n");
  const key = readFileSync(folder.join("state", "api-key"), "utf8");
  expect(prepare()).toEqual([]);
  expect(readFileSync(locations.configFile, "utf8")).toBe("# mine\n");
  expect(readFileSync(folder.join("state", "api-key"), "utf8")).toBe(key);
});

test("who brings configuration and key gets neither", () => {
  expect(prepare({ hasOwnConfig: true, hasOwnKey: true })).toEqual(["state folder"]);
  expect(() => mode("api-key")).toThrow("ENOENT");
  expect(() => mode("synthesis.config.yaml")).toThrow("ENOENT");
});
