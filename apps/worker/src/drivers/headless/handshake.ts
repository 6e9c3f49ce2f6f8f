import type { ClaudeSession, HeadlessSettings } from "./claude-arguments.ts";
import type { Handshake } from "./claude-message.ts";

/**
 * The client's instructions that a new conversation begins with; undefined where it gets none. One that goes on
 * keeps those it began with, whatever Claude Code is told at its start (measured with 2.1.330).
 */
export function instructionsAtStart(
  { instructions: policy }: Pick<HeadlessSettings, "instructions">,
  { resume, branch, isStateless }: ClaudeSession,
  instructions: string | undefined,
): string | undefined {
  if (isStateless) return instructions;
  return resume || branch !== undefined || policy === "ignore" ? undefined : instructions;
}

/** What Claude Code is told of them: they are the whole system prompt, or come after its own. */
export function handshakeOf(
  { instructions: policy }: Pick<HeadlessSettings, "instructions">,
  { isStateless }: ClaudeSession,
  instructions: string | undefined,
): Handshake {
  if (isStateless) return { systemPrompt: [instructions ?? ""] };
  if (instructions === undefined) return {};
  return policy === "replace" ? { systemPrompt: [instructions] } : { appendSystemPrompt: instructions };
}
