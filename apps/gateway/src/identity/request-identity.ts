import { crc32 } from "node:zlib";
import { WireFailure, type FindTurn, type RequestIdentity } from "@synthesis/protocol";
import { isRepetition, type ClientWords, type Conversation } from "../turn-request/conversation.ts";
import { canonicalText } from "../turn-request/transcript-points.ts";
import { hashOf } from "./hash-of.ts";
import { header, type IdentityClues, type SessionIdentity } from "./session-identity.ts";

const MAX_KEY_CHARACTERS = 255;
/** OpenAI's SDKs count their attempts in it, from 0. */
const RETRY_COUNT = "x-stainless-retry-count";

export interface RequestParts {
  readonly clues: IdentityClues;
  readonly identity: SessionIdentity;
  readonly conversation: Conversation;
  readonly words: ClientWords | undefined;
}

/**
 * By what a repetition of a request finds its turn; `body` is its body as it came. Throws `invalid_request` for an
 * `Idempotency-Key` that is none.
 */
export function requestIdentity(
  { clues, identity, conversation, words }: RequestParts,
  body: Uint8Array,
): RequestIdentity {
  const { agent, headers, caller } = clues;
  // Two conversations that say the same are told apart by whatever names them.
  const workspace = header(headers, "x-openclaw-workspace") ?? agent.workspace;
  const where = [agent.name, workspace, ...Object.values(identity)];
  const key = header(headers, "idempotency-key");
  if (headers["idempotency-key"] === "" || (key?.length ?? 0) > MAX_KEY_CHARACTERS)
    throw new WireFailure(
      "invalid_request",
      `idempotency-key: must have 1 to ${MAX_KEY_CHARACTERS} characters`,
    );
  return {
    caller: callerHash(caller.name),
    ...(key === undefined ? {} : { key: hashOf(workspace, key) }),
    // The messages are hashed already, and a megabyte is not to be hashed twice; the checksum is for what else there is.
    body: hashOf(...where, conversation.points.at(-1) ?? "", `${body.length} ${crc32(body)}`),
    prompt: hashOf(...where, ...newTexts(conversation, words)),
  };
}

/** An API key as workers know it. */
export function callerHash(keyName: string): string {
  return hashOf(keyName);
}

/** Whether a retry of this request will be known as one. */
export function announcesRetries({ headers }: IdentityClues, { key }: RequestIdentity): boolean {
  return key !== undefined || header(headers, RETRY_COUNT) !== undefined;
}

/**
 * How to look for the turn of an earlier request that this one repeats; undefined: it is no repetition. OpenAI's
 * SDKs count their retries in `x-stainless-retry-count`; OpenClaw (2026.9.6) asks in words to continue, which says
 * too little where nothing names the conversation.
 */
export function repetitionOf(
  { clues: { headers }, identity, conversation }: RequestParts,
  { key, body, prompt }: RequestIdentity,
): FindTurn["by"] | undefined {
  if (key !== undefined) return { key };
  if (Number(header(headers, RETRY_COUNT) ?? 0) >= 1) return { body };
  if ("key" in identity && isRepetition(conversation)) return { prompt };
  return undefined;
}

/** What is new, as far as it counts in a transcript. */
function newTexts({ messages, newFrom }: Conversation, words: ClientWords | undefined): string[] {
  return messages.slice(newFrom).flatMap((message) => {
    if (message.role === "assistant") return [];
    const text = canonicalText(message.parts);
    return [words?.plain(text) ?? text];
  });
}
