import type { SessionDetail, SessionInfo, TranscriptCall, WireError } from "@synthesis/protocol";
import { MAX_TRANSCRIPT_LINE_BYTES } from "../drivers/headless/transcript-line.ts";
import type { Journal } from "../journal/journal.ts";
import type { TurnRecord } from "../journal/turn-table.ts";
import { fileLines } from "../process/file-lines.ts";
import { AnswerSoFar } from "../turn/answer-so-far.ts";
import type { NumberedTurnEvent } from "../turn/turn-event.ts";

type ExportedSession = SessionInfo & Pick<SessionDetail, "allowed">;

/**
 * A session as JSON lines, written as they are asked for: itself, then each turn that is remembered, then each line
 * of Claude's transcript, as far as it is whole. Throws what the journal throws, and what reading the file does.
 */
export async function* exportSession(
  session: ExportedSession,
  { turns, events }: Pick<Journal, "turns" | "events">,
  transcriptFile: string | undefined,
): AsyncGenerator<string> {
  yield jsonLine(sessionLine(session));
  for (const id of turns.idsOfSession(session.id)) {
    const turn = turns.get(id);
    if (turn !== undefined) yield jsonLine(turnLine(turn, events.after(id, 0)));
  }
  if (transcriptFile === undefined) return;
  for await (const line of fileLines(transcriptFile, MAX_TRANSCRIPT_LINE_BYTES))
    if (isJson(line)) yield `{"transcript":${line}}\n`;
}

function sessionLine({ id, key, agent, createdAt, usedAt, agentSession, allowed }: ExportedSession): object {
  return {
    session: id,
    key,
    agent,
    created_at: isoTime(createdAt),
    used_at: isoTime(usedAt),
    agent_session: agentSession,
    allowed,
  };
}

function turnLine(turn: TurnRecord, said: readonly NumberedTurnEvent[]): object {
  const { state, acceptedAt, endedAt, end, seq } = turn;
  // What it said is numbered from 1, and its end comes last.
  const lastSaid = endedAt === undefined ? (said.at(-1)?.seq ?? 0) : seq - 1;
  const isKept = said.length === lastSaid;
  return {
    turn: turn.turn,
    state,
    accepted_at: isoTime(acceptedAt),
    ended_at: endedAt === undefined ? undefined : isoTime(endedAt),
    answer: isKept ? textOf(said, "text") : null,
    reasoning: (isKept && textOf(said, "reasoning")) || undefined,
    tool_calls: isKept ? callsOf(said) : undefined,
    error: end === undefined || end.state === "completed" ? undefined : errorOf(end.error),
  };
}

function errorOf({ code, message }: WireError): object {
  return { code, message };
}

function textOf(said: readonly NumberedTurnEvent[], kind: "text" | "reasoning"): string {
  return said.flatMap((event) => (event.kind === kind ? [event.text] : [])).join("");
}

/** Undefined where there are none. */
function callsOf(said: readonly NumberedTurnEvent[]): readonly TranscriptCall[] | undefined {
  const { calls } = new AnswerSoFar(said);
  return calls.length === 0 ? undefined : calls;
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

function isoTime(epochMs: number): string {
  return new Date(epochMs).toISOString();
}

function jsonLine(value: object): string {
  return `${JSON.stringify(value)}\n`;
}
