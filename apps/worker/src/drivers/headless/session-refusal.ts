import type { ClaudeLine } from "./claude-line.ts";

/** How Claude Code refuses a session id, or a place in a session, at its start; nothing was run then. */
const REFUSAL =
  /No conversation found with session ID|Session ID \S+ is already in use|No message found with message\.uuid/;

/** Whether Claude Code said on stderr that it refuses its session. */
export function isRefusalText(stderr: string): boolean {
  return REFUSAL.test(stderr);
}

/** Whether this line refuses the session: the first one of a process that does. */
export function isRefusal(line: ClaudeLine): boolean {
  return line.type === "result" && line.is_error && (line.errors ?? []).some((error) => REFUSAL.test(error));
}
