import { readVerdict, type AskVerdict } from "@synthesis/protocol";

/** The verdict that some words are where there is nothing to decide any more: nothing else is lost with them. */
export function bareVerdict(words: string): AskVerdict | undefined {
  const verdict = readVerdict(words);
  return verdict?.message === undefined ? verdict : undefined;
}
