import type { ClaudeLine } from "./claude-line.ts";

/** The two ways in which Claude Code refuses a session id at its start; nothing was run then. */
const REFUSAL = /No conversation found with session ID|Session ID \S+ is already in use/;

/** Whether Claude Code said on stderr that it refuses its session. */
export function isRefusalText(stderr: string): boolean {
  return REFUSAL.test(stderr);
}

/** Whether this line refuses the session: the first one of a process that does. */
export function isRefusal(line: ClaudeLine): boolean {
  return line.type === "result" && line.is_error && (line.errors ?? []).some((error) => REFUSAL.test(error));
}
