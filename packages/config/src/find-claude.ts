import { join } from "node:path";
import { checkoutDir } from "./checkout-dir.ts";
import { findProgram } from "./find-program.ts";

/**
 * The `claude` CLI: the user's own on PATH first, else the one pinned in this checkout. Where neither is
 * there, `bin` comes back as it is: the turn that needs it fails and says so.
 */
export function findClaude(bin = "claude"): string {
  return (
    findProgram(bin, process.env["PATH"] ?? "") ?? (bin === "claude" ? pinnedClaude() : undefined) ?? bin
  );
}

/** Whether any `claude` CLI is there. */
export function hasClaude(): boolean {
  return findClaude().includes("/");
}

function pinnedClaude(): string | undefined {
  return findProgram(join(checkoutDir, "node_modules", ".bin", "claude"), "");
}
