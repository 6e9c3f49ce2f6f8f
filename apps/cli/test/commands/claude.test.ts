import { writeFile } from "node:fs/promises";
import { expectClean, tempFolder } from "@synthesis/testkit";
import { expect, test } from "vitest";
import { runCli } from "../support/run-cli.ts";

expectClean();

test("without a terminal it says so, and starts nothing", async () => {
  await using folder = await tempFolder();
  const config = folder.join("synthesis.config.yaml");
  await writeFile(
    config,
    "workspaces: { site: { path: . } }\nagents: { live: { workspace: site, driver: channel, terminal: yours } }\n",
  );
  const places = [
    "--config",
    config,
    "--state-dir",
    folder.join("state"),
    "--runtime-dir",
    folder.join("run"),
  ];
  const key = { SYNTHESIS_API_KEY: "k".repeat(32) };
  const { code, out, err } = await runCli(["claude", ...places], key);
  expect([code, out, err]).toEqual([2, "", expect.stringContaining("is for a person at a terminal")]);
});
