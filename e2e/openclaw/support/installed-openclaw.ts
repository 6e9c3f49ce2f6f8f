import { existsSync } from "node:fs";
import { join } from "node:path";

const VARIABLE = "SYNTHESIS_OPENCLAW";

/**
 * The program of the OpenClaw that was installed (`npm install openclaw --ignore-scripts`) in the folder that
 * SYNTHESIS_OPENCLAW names; undefined where it names none. Throws where it names one without OpenClaw.
 */
export function installedOpenClaw(): string | undefined {
  const folder = process.env[VARIABLE];
  if (folder === undefined || folder === "") return undefined;
  const program = join(folder, "node_modules", "openclaw", "openclaw.mjs");
  if (existsSync(program)) return program;
  throw new Error(
    `${VARIABLE}: there is no ${program}: run "npm install openclaw --ignore-scripts" in ${folder}`,
  );
}
