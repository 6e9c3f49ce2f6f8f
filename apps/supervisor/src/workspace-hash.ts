import { createHash } from "node:crypto";

/** What a workspace's things in the state folder are called: by its folder, so that a new name does not lose them. */
export function workspaceHash(path: string): string {
  return createHash("sha256").update(path).digest("hex").slice(0, 16);
}
