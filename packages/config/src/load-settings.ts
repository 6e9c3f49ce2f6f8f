import { dirname } from "node:path";
import type { LogLevel } from "@synthesis/kit";
import { apiKeyDigest, apiKeyFile, readApiKey } from "./api-key.ts";
import { ConfigError } from "./config-error.ts";
import { findClaude } from "./find-claude.ts";
import { expandPath, type Locations } from "./locations.ts";
import { readConfigFile } from "./read-config-file.ts";
import { GENERATED_KEY, isLoopback, type ConfigFile } from "./schema.ts";
import type { AgentSettings, KeySettings, Settings } from "./settings.ts";

/** What a flag or an environment variable sets above the file. */
export interface Overrides {
  readonly host?: string | undefined;
  readonly port?: number | undefined;
  readonly apiKey?: string | undefined;
  readonly logLevel?: LogLevel | undefined;
}

/** Reads the configuration file and resolves it to {@link Settings}. Throws {@link ConfigError}. */
export function loadSettings(locations: Locations, overrides: Overrides): Settings {
  const file = readConfigFile(locations.configFile);
  const base = dirname(locations.configFile);
  const host = overrides.host ?? file.server.host;
  if (!isLoopback(host) && file.server.allowedHosts.length === 0) {
    throw new ConfigError(
      `host ${host} is a network address: name the hosts that clients will use in server.allowedHosts of ${locations.configFile}`,
    );
  }
  return {
    server: { ...file.server, host, port: overrides.port ?? file.server.port },
    keys: keysOf(file, base, locations, overrides.apiKey),
    workspaces: mapValues(file.workspaces, ({ path }) => expandPath(path, base)),
    roots: file.roots.map((root) => expandPath(root, base)),
    ...(file.defaultAgent === undefined ? {} : { defaultAgent: file.defaultAgent }),
    agents: mapValues(file.agents, agentSettings),
    claude: { bin: findClaude(expandProgram(file.claude.bin, base)), env: file.claude.env },
    limits: file.limits,
    logLevel: overrides.logLevel ?? file.log.level ?? (process.stderr.isTTY ? "warn" : "info"),
    stateDir: locations.stateDir,
    runtimeDir: locations.runtimeDir,
  };
}

function agentSettings(agent: ConfigFile["agents"][string]): AgentSettings {
  if (agent.driver === "command") return agent;
  if (agent.driver === "channel") {
    const { model: chosen, ...rest } = agent;
    return { ...rest, ...(chosen === undefined ? {} : { model: chosen }) };
  }
  const { workspace, permissionMode, onInterrupt, instructions, reasoning, files, asks, model } = agent;
  return {
    driver: "headless",
    workspace,
    permissionMode,
    onInterrupt,
    instructions,
    reasoning,
    files,
    asks,
    ...(model === undefined ? {} : { model }),
  };
}

function keysOf(
  file: ConfigFile,
  base: string,
  locations: Locations,
  override: string | undefined,
): KeySettings[] {
  if (override !== undefined && override.length < 16) {
    throw new ConfigError("SYNTHESIS_API_KEY is shorter than 16 characters: choose a longer one");
  }
  const first = apiKeyDigest(override ?? readApiKey(apiKeyFile(locations.stateDir)));
  const others = Object.entries(file.keys).map(([name, key]) => ({
    name,
    sha256: apiKeyDigest(readApiKey(expandPath(key.file, base))),
    client: key.client,
  }));
  return [{ name: GENERATED_KEY, sha256: first, client: "generic" }, ...others];
}

function expandProgram(program: string, base: string): string {
  return program.includes("/") ? expandPath(program, base) : program;
}

function mapValues<T, U>(record: Readonly<Record<string, T>>, change: (value: T) => U): Record<string, U> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, change(value)]));
}
