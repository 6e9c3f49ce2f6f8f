import type { TurnEnd } from "@synthesis/protocol";
import { shortage } from "../process/shortage.ts";

/**
 * How a turn ends whose agent could not be started: `what` says so, `code` is the system's; `remedy` is what helps
 * where nothing has run short.
 */
export function endOfFailedStart(what: string, code: string, remedy: string): TurnEnd {
  const error = shortage(what, code) ?? {
    code: "agent_unavailable" as const,
    message: `${what} (${code}): ${remedy}`,
  };
  return { state: "failed", error };
}
