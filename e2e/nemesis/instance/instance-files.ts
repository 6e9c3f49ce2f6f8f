import { mkdir, symlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { writeClaudeProgram } from "../agents/claude-program.ts";
import { LEDGER_FILE } from "../ledger/ledger.ts";
import { configurationText, type Workspace } from "./configuration.ts";

/** Modules that are compiled once for all runs, which start hundreds of processes. */
const compileCache = fileURLToPath(new URL("../../node_modules/.cache/synthesis", import.meta.url));

/** What the files of an instance are made from. */
export interface InstanceOptions {
  /** An empty folder of the run, with a short path: Unix sockets go into it. */
  readonly folder: string;
  readonly workspaces: readonly Workspace[];
  /** Environment of the real Claude Code, where a workspace has it. */
  readonly claudeEnv?: Readonly<Record<string, string>>;
  readonly limits?: Readonly<Record<string, number>>;
}

/** Makes the folders, the configuration and the `claude` of an instance. */
export async function makeInstanceFiles({
  folder,
  workspaces,
  claudeEnv,
  limits,
}: InstanceOptions): Promise<void> {
  const folders = ["home", "tmp", "run", ...workspaces.map(({ name }) => name)];
  await Promise.all(folders.map((name) => mkdir(join(folder, name))));
  await mkdir(join(folder, "state"), { mode: 0o700 });
  await mkdir(compileCache, { recursive: true });
  await symlink(compileCache, join(folder, "state", "cache"));
  const real = workspaces.filter(({ kind }) => kind === "claude").map(({ name }) => name);
  const claude = {
    bin: await writeClaudeProgram(folder, real),
    env: { CLAUDE_CONFIG_DIR: join(folder, "home", ".claude"), ...claudeEnv },
  };
  const facts = { folder, workspaces, ledgerFile: join(folder, LEDGER_FILE), claude };
  const text = configurationText(limits === undefined ? facts : { ...facts, limits });
  await writeFile(join(folder, "synthesis.config.yaml"), text);
}

/** The options by which a command of the CLI finds the instance. */
export function placesOf(folder: string): string[] {
  return [
    "--config",
    join(folder, "synthesis.config.yaml"),
    "--state-dir",
    join(folder, "state"),
    "--runtime-dir",
    join(folder, "run"),
  ];
}

/** The environment of a user who has nothing but a home folder and Node. */
export function environmentOf(folder: string): Record<string, string> {
  return {
    PATH: `${dirname(process.execPath)}:/usr/local/bin:/usr/bin:/bin`,
    LANG: "C.UTF-8",
    HOME: join(folder, "home"),
    TMPDIR: join(folder, "tmp"),
    NODE_COMPILE_CACHE: compileCache,
    SYNTHESIS_LOG_LEVEL: "info",
  };
}
