import { fileURLToPath } from "node:url";

/** The absolute path of the `claude` that this checkout pins. */
export function pinnedClaude(): string {
  return fileURLToPath(new URL("../../../node_modules/.bin/claude", import.meta.url));
}
