import type { RequestParts } from "../identity/request-identity.ts";
import { canonicalText } from "../turn-request/transcript-points.ts";

/** A text that is longer settles no ask. */
const MAX_CHARACTERS = 16_384;

/** The last message as its user wrote it, without what the client adds. Undefined: nothing that can be a verdict. */
export function saidByUser({ conversation, words }: RequestParts): string | undefined {
  const last = conversation.messages.at(-1);
  if (last?.role !== "user" || last.parts.some(({ type }) => type !== "text")) return undefined;
  const text = canonicalText(last.parts);
  const said = (words?.spoken(text) ?? text).trim();
  return said === "" || said.length > MAX_CHARACTERS ? undefined : said;
}
