import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { locate, type Locations } from "../../src/locations.ts";

/** The smallest usable configuration. */
export const smallest = `
workspaces:
  demo: { path: ./demo }
agents:
  echo: { workspace: demo, driver: command, command: ["{node}", "echo.ts"] }
`;

/** Writes `text` as the configuration of a state folder below `folder`, with a key if `key` is given. */
export function instance(folder: string, text: string, key?: string): Locations {
  const stateDir = join(folder, "state");
  mkdirSync(stateDir, { recursive: true });
  const locations = locate({ stateDir }, {});
  writeFileSync(locations.configFile, text);
  if (key !== undefined) writeFileSync(join(stateDir, "api-key"), `${key}\n`);
  return locations;
}
