import { loadSettings, locate } from "@synthesis/config";
import type { LocationOptions } from "./location-options.ts";

/** `synthesis check`: reads the configuration and says what it means. Throws `ConfigError`. */
export async function check(options: LocationOptions): Promise<void> {
  const locations = locate(options);
  const settings = loadSettings(locations, { apiKey: process.env["SYNTHESIS_API_KEY"] });
  console.log(`${locations.configFile} is fine.`);
  const { host, port } = settings.server;
  console.log(`  endpoint    http://${host.includes(":") ? `[${host}]` : host}:${port}/v1`);
  for (const [name, path] of Object.entries(settings.workspaces))
    console.log(`  workspace   ${name}: ${path}`);
  for (const root of settings.roots) console.log(`  root        ${root}`);
  for (const [name, agent] of Object.entries(settings.agents)) {
    const what =
      agent.driver === "command"
        ? agent.command.join(" ")
        : `${settings.claude.bin}${agent.model ? `, model ${agent.model}` : ""}`;
    console.log(`  agent       ${name}: ${agent.driver} in ${agent.workspace} (${what})`);
  }
}
