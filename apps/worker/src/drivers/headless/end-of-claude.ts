import type { Logger } from "@synthesis/kit";
import type { AgentTurnEnd, TurnEvents } from "../agent-process.ts";
import { endOfFailedStart } from "../end-of-failed-start.ts";
import { finishReason } from "./judge-result.ts";
import { ResumedAnswer } from "./resumed-answer.ts";
import type { RunningTurn } from "./running-turn.ts";
import { isRefusalText } from "./session-refusal.ts";
import type { TurnTrace } from "./turn-trace.ts";

/** What is known of a Claude Code process that has ended, and of the turn that it ran, if it ran one. */
export interface ClaudeEnd {
  /** As configured. */
  readonly bin: string;
  readonly isStarted: boolean;
  /** Whether it took up a prompt of its session. */
  readonly hasBegun: boolean;
  /** How it ended. */
  readonly how: string;
  /** The end of what it wrote to stderr. */
  readonly said: string;
  readonly turn: Pick<RunningTurn, "id" | "held" | "isHeard"> | undefined;
  readonly log: Logger;
  /** What the transcript has of a turn. */
  traceTurn(turnId: string): Promise<TurnTrace>;
}

/** How Claude Code refuses a JSON Schema at its start. */
const REFUSED_SCHEMA = /--json-schema is not a valid JSON Schema: *(.*)/;

/** How the end of its process ends the running turn. */
export async function endOfClaude(ended: ClaudeEnd): Promise<AgentTurnEnd> {
  const { bin, isStarted, hasBegun, how, said, turn } = ended;
  if (turn?.held !== undefined) return turn.held; // it was over
  if (!hasBegun && isRefusalText(said)) return { state: "session_lost" };
  const refused = how === "E2BIG" ? "it is too long" : REFUSED_SCHEMA.exec(said)?.[1];
  if (refused !== undefined) {
    const message = `the JSON Schema for the answer cannot be used (${refused}): correct it`;
    return { state: "failed", error: { code: "invalid_request", message } };
  }
  if (!isStarted) {
    const what = `Claude Code could not be started as "${bin}"`;
    return endOfFailedStart(what, how, "install it, or set claude.bin in the configuration");
  }
  if (await isUnread(ended)) {
    const message = `Claude Code ended before it read the prompt (${how}): see the worker's log for what it said`;
    return { state: "not_begun", error: { code: "agent_unavailable", message } };
  }
  const message = `Claude Code ended within the turn (${how}): what it did so far may have had effects`;
  return { state: "interrupted", error: { code: "turn_interrupted", message } };
}

/** Neither Claude nor its transcript ever named the prompt. */
async function isUnread(ended: ClaudeEnd): Promise<boolean> {
  const { turn, log } = ended;
  if (turn === undefined || turn.isHeard) return false;
  try {
    return (await ended.traceTurn(turn.id)).state === "absent";
  } catch (error) {
    log.warn("claude.transcript_unreadable", { turn: turn.id, error: String(error) });
    return false;
  }
}

/** The end of a cut turn that Claude Code does not go on with: its answer is complete already, or never will be. */
export function endOfCutTurn(
  cut: Extract<TurnTrace, { state: "finished" | "stopped" }>,
  shown: string,
  events: TurnEvents,
): AgentTurnEnd {
  if (cut.state === "stopped") {
    const message =
      "the turn had been stopped when its process ended: what it did so far may have had effects";
    return { state: "interrupted", error: { code: "turn_interrupted", message } };
  }
  const answer = new ResumedAnswer({ shown, standing: "" }, events);
  answer.add(cut.text);
  answer.end();
  return { state: "completed", finishReason: finishReason(cut.stopReason) };
}
