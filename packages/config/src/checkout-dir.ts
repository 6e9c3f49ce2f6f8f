import { dirname } from "node:path";
import { fileURLToPath } from "node:url";

/** The folder of this checkout of Synthesis; `{synthesis}` in a configured command. */
export const checkoutDir = dirname(dirname(dirname(dirname(fileURLToPath(import.meta.url)))));
