import { EMPTY_TRANSCRIPT, rollAnswer, rollTranscript } from "@synthesis/protocol";
import type { RecordedTurn, TurnOutcome } from "./recorded-turn.ts";
import { testScope } from "./test-submit.ts";
import type { SubmitOptions, TestWorkspace } from "./test-workspace.ts";

/** The transcript that ends with this prompt. */
export const asked = (prompt: string, before = EMPTY_TRANSCRIPT) => rollTranscript(before, "user", prompt);
/** The transcript that ends with this answer. */
export const answered = (transcript: string, answer: string) => rollAnswer(transcript, answer, []);

/** What a turn of a chat came to, and the transcript after it as its client has it. */
export interface Said {
  readonly turn: RecordedTurn;
  readonly outcome: TurnOutcome;
  readonly answer: string;
  readonly point: string;
}

/** A prompt that goes on from a point of the transcript that its client has. */
export function goingOn(prompt: string, point: string): SubmitOptions {
  return { follows: point, transcript: asked(prompt, point), needsMemory: point !== EMPTY_TRANSCRIPT };
}

/** Says something after a point of a chat, and waits for the end. */
export async function say(
  space: TestWorkspace,
  prompt: string,
  after: string,
  options: SubmitOptions = {},
): Promise<Said> {
  const said = await space.run(prompt, { ...goingOn(prompt, after), ...options });
  return { ...said, point: answered(asked(prompt, after), said.answer) };
}

/** Which session of the tests' scope has the first of these points that any has. */
export const byPoints = (...points: string[]) => ({ scope: testScope, points });
