import { readVerdict, type AgentAsk, type AskVerdict, type Said } from "@synthesis/protocol";

/** The verdict that a message in the chat is on an ask. What came before that was told was said to something else. */
export function verdictOn(
  said: Said | undefined,
  ask: Pick<AgentAsk, "kind" | "questions" | "toldAt" | "askedAt">,
): AskVerdict | undefined {
  return said !== undefined && isAfter(said, ask) ? readVerdict(said.words, ask) : undefined;
}

/** As {@link verdictOn}, of an ask that is not open any more: a bare word, with which nothing else is lost. */
export function lateVerdictOn(
  said: Said | undefined,
  ask: Pick<AgentAsk, "toldAt" | "askedAt">,
): AskVerdict | undefined {
  return said !== undefined && isAfter(said, ask) ? bareVerdict(said) : undefined;
}

/** The verdict of a message that says nothing else. */
export function bareVerdict({ words }: Said): AskVerdict | undefined {
  const verdict = readVerdict(words);
  return verdict?.message === undefined ? verdict : undefined;
}

function isAfter({ receivedAt }: Said, { toldAt, askedAt }: Pick<AgentAsk, "toldAt" | "askedAt">): boolean {
  return receivedAt > (toldAt ?? askedAt);
}
