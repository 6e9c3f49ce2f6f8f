import { existsSync } from "node:fs";
import {
  apiKeyFile,
  findProgram,
  hostInUrl,
  loadSettings,
  locate,
  type AgentSettings,
  type Settings,
} from "@synthesis/config";
import type { ServerOptions } from "./command-options.ts";

/** Stands for the key that the first `synthesis up` makes: a check needs none, and prints none. */
const KEY_TO_COME = "the first start makes it";

/**
 * `synthesis check`: reads the configuration and says what it means, and which folders and programs it names
 * are not there (then the exit code is 1). Throws `ConfigError` for a file that cannot be used at all.
 */
export async function check(options: ServerOptions): Promise<void> {
  const locations = locate(options);
  const { host, port } = options;
  const hasKey = existsSync(apiKeyFile(locations.stateDir));
  const apiKey = process.env["SYNTHESIS_API_KEY"] ?? (hasKey ? undefined : KEY_TO_COME);
  const settings = loadSettings(locations, { host, port, apiKey });
  const { missing, lines } = describe(settings);
  console.log(`${locations.configFile} ${missing === 0 ? "is fine." : "names things that are not there:"}`);
  console.log(`  endpoint    http://${hostInUrl(settings.server.host)}:${settings.server.port}/v1`);
  for (const line of lines) console.log(`  ${line}`);
  if (missing > 0) process.exitCode = 1;
}

function describe(settings: Settings): { missing: number; lines: string[] } {
  let missing = 0;
  const mark = (isThere: boolean) => {
    if (!isThere) missing++;
    return isThere ? "" : "   <- not there";
  };
  const folder = (path: string) => `${path}${mark(existsSync(path))}`;
  const lines = [
    ...Object.entries(settings.workspaces).map(([name, path]) => `workspace   ${name}: ${folder(path)}`),
    ...settings.roots.map((root) => `root        ${folder(root)}`),
    ...Object.entries(settings.agents).map(([name, agent]) => {
      const { what, program } = programOf(agent, settings.claude.bin);
      const isThere = findProgram(program, process.env["PATH"] ?? "") !== undefined;
      return `agent       ${name}: ${agent.driver} in ${agent.workspace} (${what})${mark(isThere)}`;
    }),
  ];
  return { missing, lines };
}

function programOf(agent: AgentSettings, claudeBin: string): { what: string; program: string } {
  if (agent.driver !== "command") {
    return { what: `${claudeBin}${agent.model ? `, model ${agent.model}` : ""}`, program: claudeBin };
  }
  const [program = ""] = agent.command;
  return { what: agent.command.join(" "), program: program.replaceAll("{node}", process.execPath) };
}
