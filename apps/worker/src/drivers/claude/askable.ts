import type { AskQuestion } from "@synthesis/protocol";

const MAX_QUESTIONS = 16;
const MAX_OPTIONS = 128;
/** Of what holds them, as JSON. */
const MAX_CHARACTERS = 16_384;

/**
 * Whether these are few and short enough to be put to a person: at most 16, with 128 options in all, in a `request` of
 * at most 16,384 characters.
 */
export function isAskable(questions: readonly AskQuestion[], request: object): boolean {
  const options = questions.reduce((count, question) => count + question.options.length, 0);
  if (questions.length > MAX_QUESTIONS || options > MAX_OPTIONS) return false;
  return JSON.stringify(request).length <= MAX_CHARACTERS;
}
