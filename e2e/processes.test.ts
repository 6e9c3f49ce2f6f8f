import { readFile } from "node:fs/promises";
import { descendants, expectClean } from "@synthesis/testkit";
import { expect, test } from "vitest";
import { ask } from "./support/chat.ts";
import { Cli } from "./support/cli.ts";
import { startWithFakeClaude } from "./support/fake-claude.ts";
import { Synthesis } from "./support/synthesis.ts";

expectClean();

test("ps shows supervisor, gateway and a worker for each workspace at work, under each other", async () => {
  await using synthesis = await Synthesis.start();
  for (const model of ["seed", "seed-beta"]) await ask(synthesis, { model, say: "hi" });
  const supervisor = synthesis.process("synthesis-supervisor");
  expect(supervisor.parent).toBe(synthesis.cli.pid);
  const children = synthesis.processes.filter(({ parent }) => parent === supervisor.pid);
  expect(children.map(({ command }) => command).sort()).toEqual([
    "synthesis-gateway",
    "synthesis-worker alpha",
    "synthesis-worker beta",
  ]);
  const status = new Cli(["status", "--state-dir", synthesis.folder.join("state")], synthesis.folder);
  expect(await status.exit).toMatchObject({ code: 0 });
  expect(status.stdout.text).toMatch(
    /^alpha: serving, pid \d+, 0 restarts, 1 processes, 0 turns, 1 sessions$/m,
  );
});

test("no secret stands in a command line, a log, or the environment of an agent", async () => {
  const canary = "canary-4a7c";
  await using synthesis = await startWithFakeClaude({
    config: { log: { level: "debug" } },
    env: { SYNTHESIS_API_KEY: `${canary}-api-key`, MY_DATABASE_PASSWORD: canary },
  });
  for (const model of ["seed", "claude"]) {
    expect(await ask(synthesis, { model, session: "s", say: `${canary}-prompt` })).toMatchObject({
      status: 200,
    });
  }
  const all = [synthesis.cli.pid, ...descendants(synthesis.cli.pid).map(({ pid }) => pid)];
  const commands = await Promise.all(all.map((pid) => readFile(`/proc/${pid}/cmdline`, "utf8")));
  const agents = synthesis.agents("alpha").map(({ pid }) => pid);
  const environments = await Promise.all(agents.map((pid) => readFile(`/proc/${pid}/environ`, "utf8")));
  expect(environments).toHaveLength(2);
  const token = environments.flatMap((text) => /token=([\w-]+)/.exec(text)?.[1] ?? []);
  expect(token).toHaveLength(1);
  for (const secret of [canary, ...token]) {
    expect(commands.join("\n")).not.toContain(secret);
    expect(synthesis.log.text).not.toContain(secret);
    expect(synthesis.cli.stdout.text).not.toContain(secret);
  }
  expect(environments.join("\n")).not.toContain(canary);
});
