import type { TurnFacts } from "../turn/answer-output.ts";

/** What an answer's headers say of its turn. */
export function factHeaders(
  { turn, session, rule, position, steers, settles, isJoined }: TurnFacts,
  ignored: readonly string[],
): Record<string, string> {
  return {
    "x-synthesis-session": session,
    "x-synthesis-session-rule": rule,
    "x-synthesis-turn": turn,
    "x-synthesis-queue-position": String(position),
    ...(steers === undefined ? {} : { "x-synthesis-steers": steers }),
    ...(settles === undefined ? {} : { "x-synthesis-settles": settles }),
    ...(isJoined === true ? { "x-synthesis-turn-joined": "true" } : {}),
    ...(ignored.length > 0 ? { "x-synthesis-ignored": ignored.join(", ") } : {}),
  };
}
