import { readVerdict, type AskVerdict, type Submit } from "@synthesis/protocol";

/** What the user of a turn wrote after a moment (epoch ms); empty where that was before it, or can be no verdict. */
export function saidSince({ said = "", receivedAt }: Submit, moment: number): string {
  return receivedAt !== undefined && receivedAt <= moment ? "" : said;
}

/** The verdict that some words are where there is nothing to decide any more: nothing else is lost with them. */
export function bareVerdict(words: string): AskVerdict | undefined {
  const verdict = readVerdict(words);
  return verdict?.message === undefined ? verdict : undefined;
}
