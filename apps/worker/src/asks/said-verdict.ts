import { readVerdict, type AskVerdict, type Said } from "@synthesis/protocol";
import type { OpenAsk } from "./open-ask.ts";

type ToldAsk = Pick<OpenAsk, "info" | "toldMs">;

/** The verdict that a message in the chat is on an ask. What came before that was told was said to something else. */
export function verdictOn(said: Said | undefined, ask: ToldAsk): AskVerdict | undefined {
  return said !== undefined && isAfter(said, ask) ? readVerdict(said.words, ask.info) : undefined;
}

/** As {@link verdictOn}, of an ask that is not open any more: a bare word, with which nothing else is lost. */
export function lateVerdictOn(said: Said | undefined, ask: ToldAsk): AskVerdict | undefined {
  return said !== undefined && isAfter(said, ask) ? bareVerdict(said) : undefined;
}

/** The verdict of a message that says nothing else. */
export function bareVerdict({ words }: Said): AskVerdict | undefined {
  const verdict = readVerdict(words);
  return verdict?.message === undefined ? verdict : undefined;
}

function isAfter({ receivedMs }: Said, { toldMs = Infinity }: ToldAsk): boolean {
  return receivedMs > toldMs;
}
