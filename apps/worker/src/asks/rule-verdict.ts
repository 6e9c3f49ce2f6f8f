import type { AgentSettings } from "@synthesis/config";
import type { AskVerdict } from "@synthesis/protocol";

/** What the configuration says to an ask, so that nobody is asked. Claude Code heeds its rules by itself. */
export function ruleVerdict({ driver, asks }: AgentSettings, tool: string): AskVerdict | undefined {
  if (driver !== "command") return undefined;
  if (asks.deny.includes(tool))
    return { behavior: "deny", message: `${tool} is denied to this agent (asks.deny)` };
  return asks.allow.includes(tool) ? { behavior: "allow" } : undefined;
}
