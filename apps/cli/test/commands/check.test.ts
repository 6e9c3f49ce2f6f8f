import { mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { expectClean, fakeClaudeCommand, tempFolder, type TempFolder } from "@synthesis/testkit";
import { runCli, type CliRun } from "../support/run-cli.ts";

expectClean();
vi.setConfig({ testTimeout: 20_000, hookTimeout: 20_000 }); // real processes on a busy machine

let folder: TempFolder;
beforeEach(async () => {
  folder = await tempFolder();
  for (const name of ["demo", "code", "state"]) mkdirSync(folder.join(name));
  await fakeClaudeCommand(folder.path);
});
afterEach(async () => folder[Symbol.asyncDispose]());

const key = "sk-a-key-of-the-environment";

async function check(
  text: string,
  env: Record<string, string> = { SYNTHESIS_API_KEY: key },
  flags: readonly string[] = [],
): Promise<CliRun> {
  writeFileSync(folder.join("c.yaml"), text);
  return runCli(
    ["check", "--config", folder.join("c.yaml"), "--state-dir", folder.join("state"), ...flags],
    env,
  );
}

const config = `
workspaces:
  demo: { path: ./demo }
roots: [./code]
agents:
  echo: { workspace: demo, driver: command, command: ["{node}", "echo.ts"] }
  claude: { workspace: demo, model: haiku }
claude: { bin: ./claude }
`;

test("a configuration that is fine is said to be, with what it means", async () => {
  expect(await check(config)).toEqual({
    code: 0,
    err: "",
    out: `${folder.join("c.yaml")} is fine.
  endpoint    http://127.0.0.1:8787/v1
  workspace   demo: ${folder.join("demo")}
  root        ${folder.join("code")}
  agent       echo: command in demo ({node} echo.ts)
  agent       claude: headless in demo (${folder.join("claude")}, model haiku)
`,
  });
});

test("folders and programs that are not there are marked, and the exit code says so", async () => {
  for (const name of ["demo", "code", "claude"]) rmSync(folder.join(name), { recursive: true });
  const { code, out, err } = await check(config);
  expect([code, err]).toEqual([1, ""]);
  expect(out.split("\n").map((text) => text.replaceAll(folder.path, "").trim())).toEqual([
    "/c.yaml names things that are not there:",
    "endpoint    http://127.0.0.1:8787/v1",
    "workspace   demo: /demo   <- not there",
    "root        /code   <- not there",
    "agent       echo: command in demo ({node} echo.ts)",
    "agent       claude: headless in demo (/claude, model haiku)   <- not there",
    "",
  ]);
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

test("a configuration that is not there is said to be missing", async () => {
  const none = await runCli(["check", "--config", folder.join("none.yaml")]);
  expect(none).toMatchObject({
    code: 1,
    err: expect.stringContaining("none.yaml: there is no such file") as string,
  });
});

test("no key is needed, and none is made", async () => {
  expect(await check(config, {})).toMatchObject({ code: 0, err: "" });
  expect(readdirSync(folder.join("state"))).toEqual([]);
});

test("a key that is there is checked", async () => {
  writeFileSync(folder.join("state", "api-key"), "short\n");
  const { code, out, err } = await check(config, {});
  expect([code, out]).toEqual([1, ""]);
  expect(err).toContain(folder.join("state", "api-key"));
});

test("host and port are taken as `up` takes them: the flag beats the variable, the variable the file", async () => {
  const text = `${config}server: { host: 127.0.0.2, port: 1 }\n`;
  const env = { SYNTHESIS_API_KEY: key, SYNTHESIS_HOST: "127.0.0.3", SYNTHESIS_PORT: "2" };
  expect((await check(text, env)).out).toContain("endpoint    http://127.0.0.3:2/v1\n");
  const flags = ["--host", "::1", "--port", "3"];
  expect((await check(text, env, flags)).out).toContain("endpoint    http://[::1]:3/v1\n");
});

test("an empty variable counts as absent", async () => {
  writeFileSync(folder.join("state", "synthesis.config.yaml"), config.replaceAll("./", "../"));
  const names = ["CONFIG", "RUNTIME_DIR", "HOST", "PORT", "API_KEY", "LOG_LEVEL"];
  const empty = Object.fromEntries(names.map((name) => [`SYNTHESIS_${name}`, ""]));
  const env = { ...empty, SYNTHESIS_STATE_DIR: folder.join("state") };
  const { code, out, err } = await runCli(["check"], env);
  expect([code, err]).toEqual([0, ""]);
  expect(out).toContain(`${folder.join("state", "synthesis.config.yaml")} is fine.`);
  expect(out).toContain("endpoint    http://127.0.0.1:8787/v1\n");
});
