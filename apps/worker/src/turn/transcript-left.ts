import type { Submit, TurnEnd } from "@synthesis/protocol";
import { instructionsHash } from "../journal/instructions-hash.ts";
import type { TurnTranscript } from "../journal/transcripts.ts";
import type { AnswerSoFar } from "./answer-so-far.ts";

export interface TurnOver {
  readonly order: Submit;
  readonly answer: AnswerSoFar;
  /** Whether its agent may have read the prompt. */
  readonly isTold: boolean;
  /** Whether something else was said in it. */
  readonly isSteered: boolean;
  readonly end: TurnEnd;
  /** The agent's name for its end, where the conversation can branch off there. */
  readonly anchor: string | undefined;
}

/**
 * What a turn leaves in its session's transcript. Where something else was said in it nobody knows how its clients
 * see that. One that failed without a word leaves nothing: it is most often asked again.
 */
export function transcriptLeft({ order, answer, isTold, isSteered, end, anchor }: TurnOver): TurnTranscript {
  const { transcript, isStateless } = order;
  const isCompleted = end.state === "completed";
  const isNothing = !isTold || (end.state === "failed" && !answer.isActive);
  if (isStateless === true || (isNothing && !isCompleted)) return { state: "none" };
  const instructions = instructionsHash(order);
  if (!isCompleted && answer.isEmpty) return { state: "prompt", instructions };
  const hash = isSteered ? undefined : answer.hashAfter(transcript);
  return { state: "answer", instructions, hash, anchor };
}
