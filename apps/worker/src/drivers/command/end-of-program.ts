import type { AgentTurnEnd } from "../agent-process.ts";
import { endOfFailedStart } from "../end-of-failed-start.ts";

/** What is known of a program that has ended. */
export interface ProgramEnd {
  /** As configured. */
  readonly program: string;
  readonly isStarted: boolean;
  /** Whether the running turn's prompt was sent to it. */
  readonly isPrompted: boolean;
  /** How it ended. */
  readonly how: string;
  /** Why its connection was lost before, if it was. */
  readonly lost: string | undefined;
}

/** How the end of its program ends the running turn: not begun as long as nothing was asked of it, then interrupted. */
export function endOfProgram({ program, isStarted, isPrompted, how, lost }: ProgramEnd): AgentTurnEnd {
  if (!isStarted) {
    const what = `the agent's program "${program}" could not be started`;
    return endOfFailedStart(what, how, "check its command in the configuration");
  }
  if (!isPrompted) {
    const message = `the agent's program "${program}" ended before it said hello (${how})`;
    return { state: "not_begun", error: { code: "agent_unavailable", message } };
  }
  const before = lost === undefined ? "" : `; its connection was lost before: ${lost}`;
  const message = `the agent's program ended within the turn (${how}${before}): what it did so far may have had effects`;
  return { state: "interrupted", error: { code: "turn_interrupted", message } };
}
