import { writeFileSync } from "node:fs";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { expectClean, tempFolder, type TempFolder } from "@synthesis/testkit";
import { runCli, type CliRun } from "../support/run-cli.ts";

expectClean();
vi.setConfig({ testTimeout: 20_000, hookTimeout: 20_000 }); // real processes on a busy machine

let folder: TempFolder;
beforeEach(async () => {
  folder = await tempFolder();
});
afterEach(async () => folder[Symbol.asyncDispose]());

const key = "sk-a-key-of-the-environment";

async function check(
  text: string,
  env: Record<string, string> = { SYNTHESIS_API_KEY: key },
): Promise<CliRun> {
  writeFileSync(folder.join("c.yaml"), text);
  return runCli(["check", "--config", folder.join("c.yaml"), "--state-dir", folder.join("state")], env);
}

const config = `
workspaces:
  demo: { path: ./demo }
roots: [/srv/code]
agents:
  echo: { workspace: demo, driver: command, command: ["{node}", "echo.ts"] }
  claude: { workspace: demo, model: haiku }
claude: { bin: /opt/claude }
`;

test("a configuration that is fine is said to be, with what it means", async () => {
  expect(await check(config)).toEqual({
    code: 0,
    err: "",
    out: `${folder.join("c.yaml")} is fine.
  endpoint    http://127.0.0.1:8787/v1
  workspace   demo: ${folder.join("demo")}
  root        /srv/code
  agent       echo: command in demo ({node} echo.ts)
  agent       claude: headless in demo (/opt/claude, model haiku)
`,
  });
});

test("an IPv6 endpoint is printed as it is written in a URL", async () => {
  const { out } = await check(`${config}server: { host: "::1", port: 1234 }\n`);
  expect(out).toContain("endpoint    http://[::1]:1234/v1\n");
});

test("mistakes are printed with file, line and column, and nothing else", async () => {
  const { code, out, err } = await check("agents:\n  echo: { workspace: none }\n  b c: {}\n");
  expect([code, out]).toEqual([1, ""]);
  expect(err).toMatch(new RegExp(`^${folder.join("c.yaml")}:\\d+:\\d+: agents\\.`));
  expect(err).not.toContain("    at ");
});

test("the configuration may be named in the environment", async () => {
  writeFileSync(folder.join("c.yaml"), config);
  const env = { SYNTHESIS_CONFIG: folder.join("c.yaml"), SYNTHESIS_API_KEY: key };
  expect((await runCli(["check"], env)).code).toBe(0);
});

test("a configuration or a key that is not there is said to be missing", async () => {
  const none = await runCli(["check", "--config", folder.join("none.yaml")]);
  expect(none).toMatchObject({
    code: 1,
    err: expect.stringContaining("none.yaml: there is no such file") as string,
  });
  const keyless = await check(config, {});
  expect(keyless).toMatchObject({
    code: 1,
    err: expect.stringContaining("the API key cannot be read") as string,
  });
});
