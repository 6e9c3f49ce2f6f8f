import { monotonicMs } from "@synthesis/kit";
import { Said } from "@synthesis/protocol";
import type { RequestParts } from "../identity/request-identity.ts";
import { canonicalText } from "../turn-request/transcript-points.ts";

/** The last message of a request that has just arrived, as its user wrote it. Undefined: nothing that can be a verdict. */
export function saidByUser({ conversation, words }: RequestParts): Said | undefined {
  const last = conversation.messages.at(-1);
  if (last?.role !== "user" || last.parts.some(({ type }) => type !== "text")) return undefined;
  const text = canonicalText(last.parts);
  return Said.safeParse({ words: (words?.spoken(text) ?? text).trim(), receivedMs: monotonicMs() }).data;
}
