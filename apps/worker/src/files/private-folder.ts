import { mkdirSync, realpathSync } from "node:fs";
import type { Logger } from "@synthesis/kit";
import { causeOf } from "./cause-of.ts";

/**
 * Makes a folder for its user only and returns its real path, by which programs tell whether they may read what lies
 * there. One that cannot be made is logged, and returned as it is.
 */
export function privateFolder(folder: string, log: Logger): string {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    return realpathSync(folder);
  } catch (error) {
    log.error("files.folder_not_made", { cause: causeOf(error) });
    return folder;
  }
}
