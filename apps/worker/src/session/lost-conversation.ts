import type { AgentSettings } from "@synthesis/config";
import type { AgentSurroundings } from "../drivers/open-agent.ts";
import { checkTranscript } from "../drivers/headless/transcript.ts";

/**
 * Why an agent without a process does not remember a conversation, by its own name for it, that it was told about;
 * undefined: it does. Claude keeps a transcript, any other program knows what it knows only as long as it lives.
 */
export async function lostConversation(
  agent: AgentSettings,
  agentSession: string,
  { configuration }: AgentSurroundings,
): Promise<string | undefined> {
  if (agent.driver === "command") return "the agent's program has ended, and its memory with it";
  if (agent.driver === "channel" && agent.terminal === "yours")
    return "the live Claude has ended, or was at another conversation since";
  switch (await checkTranscript(configuration, agentSession)) {
    case "present":
      return undefined;
    case "missing":
      return "Claude's transcript of the session is missing";
    case "foreign":
      return "Claude's transcript of the session is of another folder";
  }
}
