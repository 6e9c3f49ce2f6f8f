import { createHash } from "node:crypto";
import { WireFailure, type FindTurn, type RequestIdentity } from "@synthesis/protocol";
import type { Conversation } from "./conversation.ts";
import { withoutRetryWords } from "./openclaw-decoration.ts";
import { header, type IdentityClues, type SessionIdentity } from "./session-identity.ts";

const MAX_KEY_CHARACTERS = 255;
/** OpenAI's SDKs count their attempts in it, from 0. */
const RETRY_COUNT = "x-stainless-retry-count";

/** By what a repetition of a request finds its turn. Throws `invalid_request` for an `Idempotency-Key` that is none. */
export function requestIdentity(
  clues: IdentityClues,
  identity: SessionIdentity,
  bodyText: string,
  { prompt }: Conversation,
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
    ...(key === undefined ? {} : { key: sha256([workspace, key]) }),
    body: sha256([...where, bodyText]),
    prompt: sha256([...where, caller.client === "openclaw" ? withoutRetryWords(prompt).prompt : prompt]),
  };
}

/** An API key as workers know it. */
export function callerHash(keyName: string): string {
  return sha256([keyName]);
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
  { headers, caller }: IdentityClues,
  { key, body, prompt }: RequestIdentity,
  { rule }: SessionIdentity,
  conversation: Conversation,
): FindTurn["by"] | undefined {
  if (key !== undefined) return { key };
  if (Number(header(headers, RETRY_COUNT) ?? 0) >= 1) return { body };
  const isNamed = rule !== "transcript";
  if (caller.client === "openclaw" && isNamed && withoutRetryWords(conversation.prompt).isRetry)
    return { prompt };
  return undefined;
}

function sha256(parts: readonly string[]): string {
  return createHash("sha256").update(JSON.stringify(parts)).digest("hex");
}
