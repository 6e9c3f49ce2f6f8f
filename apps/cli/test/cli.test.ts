import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { expectClean, tempFolder, type TempFolder } from "@synthesis/testkit";
import { runCli } from "./support/run-cli.ts";

expectClean();
vi.setConfig({ testTimeout: 20_000, hookTimeout: 20_000 }); // real processes on a busy machine

let folder: TempFolder;
beforeEach(async () => {
  folder = await tempFolder();
});
afterEach(async () => folder[Symbol.asyncDispose]());

test("--help names every command, --version the version", async () => {
  const help = await runCli(["--help"]);
  expect(help).toMatchObject({ code: 0, err: "" });
  for (const command of ["up", "status", "restart", "stop", "check", "schema"])
    expect(help.out).toContain(`  ${command} `);
  expect(await runCli(["--version"])).toEqual({
    code: 0,
    out: expect.stringMatching(/^\d+\.\d+\.\d+\n$/) as string,
    err: "",
  });
});

test.for<[args: string[], message: string]>([
  [["dance"], "error: unknown command 'dance'"],
  [["up", "--prot", "1"], "error: unknown option '--prot'"],
  [["up", "--log-level", "loud"], "Allowed choices are debug, info, warn, error."],
  ...["x", "-1", "", "1e9"].map((seconds): [string[], string] => [
    ["restart", `--drain=${seconds}`],
    "It is a number of seconds from 0 to 604800.",
  ]),
  ...["x", "-1", "65536", "80.5", "", " ", "1e9"].map((port): [string[], string] => [
    ["up", `--port=${port}`],
    "A port is a whole number from 0 to 65535.",
  ]),
])("%j is refused with what is wrong and where help is", async ([args, message]) => {
  const { code, out, err } = await runCli(args);
  expect([code, out]).toEqual([1, ""]);
  expect(err).toContain(message);
  expect(err).toContain("(synthesis --help says more)");
  expect(err).not.toContain("    at ");
});

test("a bad port in the environment is refused the same way", async () => {
  const { code, err } = await runCli(["up"], { SYNTHESIS_PORT: "eighty" });
  expect(code).toBe(1);
  expect(err).toContain("A port is a whole number from 0 to 65535.");
});

test("schema prints the JSON Schema of the configuration", async () => {
  const { code, out } = await runCli(["schema"]);
  expect(code).toBe(0);
  expect(JSON.parse(out)).toMatchObject({ title: "synthesis.config.yaml", type: "object" });
});

test.each(["status", "restart", "stop"])(
  "%s without a running instance says so, in one line",
  async (command) => {
    const stateDir = folder.join("state");
    expect(await runCli([command, "--state-dir", stateDir])).toEqual({
      code: 1,
      out: "",
      err: `no Synthesis runs with the state folder ${stateDir}: start it with \`synthesis up\`\n`,
    });
  },
);

test("a runtime folder that is too long for sockets is refused with the remedy", async () => {
  const { code, err } = await runCli(["status", "--runtime-dir", `/tmp/${"x".repeat(100)}`]);
  expect(code).toBe(1);
  expect(err).toContain("is too long for Unix sockets: choose one of at most");
});
