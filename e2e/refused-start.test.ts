import { once } from "node:events";
import { mkdir, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { expectClean, tempFolder } from "@synthesis/testkit";
import { expect, test } from "vitest";
import { Cli } from "./support/cli.ts";
import { Synthesis } from "./support/synthesis.ts";

expectClean();

/** Runs a command that is to fail; its exit code and everything it wrote to stderr. */
async function failing(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
  config?: string,
): Promise<{ readonly code: number | null; readonly message: string; readonly file: string }> {
  await using folder = await tempFolder();
  await mkdir(folder.join("home"));
  const file = folder.join("c.yaml");
  if (config !== undefined) await writeFile(file, config);
  const cli = new Cli(config === undefined ? args : [...args, "--config", file], folder, { env });
  const { code } = await cli.exit;
  return { code, message: cli.stderr.text, file };
}

test.each([
  [
    "a setting that is misspelt",
    "agents:\n  a: { workspace: w }\nworkspaces:\n  w: { pth: . }\n",
    4,
    /"pth" is not a setting in workspaces\.w/,
  ],
  [
    "an agent of no workspace",
    "workspaces: { w: { path: . } }\nagents:\n  a:\n    workspace: nowhere\n",
    4,
    /no workspace is called "nowhere"/,
  ],
  ["a value of the wrong kind", "server:\n  port: high\nagents: {}\n", 2, /server\.port/],
  ["no YAML", "agents: [\n", 2, /not YAML/],
  [
    "a network address without hosts",
    "server: { host: 0.0.0.0 }\nworkspaces: { w: { path: . } }\nagents: { a: { workspace: w } }\n",
    1,
    /allowedHosts/,
  ],
] as const)(
  "a configuration with %s ends with 1 and names file, line and remedy",
  async (_, text, line, remedy) => {
    const { code, message, file } = await failing(["up"], {}, text);
    expect(code).toBe(1);
    expect(message).toMatch(remedy);
    expect(message).toContain(`${file}:${line}:`);
    expect(message).not.toMatch(/\n {4}at /);
  },
);

test.each([
  [
    "a configuration that is not there",
    ["up", "--config", "/nowhere/c.yaml"],
    {},
    /\/nowhere\/c\.yaml.*no such file/,
  ],
  ["an unknown flag", ["up", "--prot", "1"], {}, /unknown option '--prot'/],
  ["an unknown command", ["upp"], {}, /unknown command 'upp'/],
  ["a port that is none", ["up", "--port", "http"], {}, /whole number from 0 to 65535/],
  [
    "a SYNTHESIS_PORT that is none",
    ["up"],
    { SYNTHESIS_PORT: "70000" },
    /SYNTHESIS_PORT.*whole number from 0 to 65535/,
  ],
  ["a SYNTHESIS_API_KEY that is too short", ["up"], { SYNTHESIS_API_KEY: "short" }, /SYNTHESIS_API_KEY.*16/],
  [
    "a runtime folder that is too long",
    ["up", "--runtime-dir", `/tmp/${"x".repeat(90)}`],
    {},
    /too long.*--runtime-dir/,
  ],
  ["nothing running", ["status"], {}, /no Synthesis runs.*synthesis up/],
] as const)("%s ends with 1 and a sentence that says so", async (_, args, env, sentence) => {
  const { code, message } = await failing(args, env);
  expect(code).toBe(1);
  expect(message).toMatch(sentence);
  expect(message).not.toMatch(/\n {4}at /);
});

test("a port that is in use ends the start with 1, and names the port and the way out", async () => {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  const port = typeof address === "object" ? address?.port : undefined;
  const { code, message } = await failing(["up", "--port", String(port)]);
  server.close();
  expect(code).toBe(1);
  expect(message).toMatch(new RegExp(`port ${port} of 127\\.0\\.0\\.1 is in use.*--port`));
  expect(message).not.toMatch(/\n {4}at /);
});

test("a second instance on the same state folder is refused, and the first is not disturbed", async () => {
  await using synthesis = await Synthesis.start();
  const state = synthesis.folder.join("state");
  const second = new Cli(["up", "--port", "0", "--state-dir", state], synthesis.folder);
  expect(await second.exit).toMatchObject({ code: 1 });
  expect(second.stderr.text).toMatch(/already running with the state folder .*--state-dir/);
  expect(await synthesis.health()).toMatchObject({ ok: true });
});
