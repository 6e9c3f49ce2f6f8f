import { createHash } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http";
import { WireFailure } from "@synthesis/protocol";
import type { Caller } from "../http/edge-guard.ts";
import type { ChatRequest } from "../openai/chat-request.ts";
import type { ChosenAgent } from "./choose-agent.ts";
import { runtimeSession } from "./openclaw-decoration.ts";

/** What a request says of its conversation. */
export interface IdentityClues {
  readonly headers: IncomingHttpHeaders;
  readonly body: ChatRequest;
  readonly caller: Caller;
  readonly agent: ChosenAgent;
}

/** Which rule decided, and the key it gave. `transcript`: none did; the messages themselves are compared. */
export type SessionIdentity =
  | { readonly rule: KeyRule; readonly key: string }
  | { readonly rule: "transcript" };

/** The rules that read a key, first one wins (DESIGN.md, "Identity is explicit, never guessed"). */
const keyRules = {
  "openclaw-session-key": ({ headers }: IdentityClues) => header(headers, "x-openclaw-session-key"),
  "openclaw-chat-id": ({ headers, agent }: IdentityClues) => {
    const chat = header(headers, "x-openclaw-chat-id");
    return chat && `${header(headers, "x-openclaw-agent-id") ?? agent.name}::${chat}`;
  },
  "session-affinity": ({ headers }: IdentityClues) =>
    header(headers, "x-session-affinity") ?? header(headers, "session_id"),
  "prompt-cache-key": ({ body }: IdentityClues) => body.prompt_cache_key,
  conversation: ({ body: { conversation } }: IdentityClues) =>
    typeof conversation === "string" ? conversation : conversation?.id,
  "metadata-session-id": ({ body }: IdentityClues) => body.metadata?.session_id,
  "openclaw-runtime": ({ body, caller }: IdentityClues) =>
    caller.client === "openclaw" ? runtimeSession(body.messages) : undefined,
  "openclaw-agent-id": ({ headers }: IdentityClues) => header(headers, "x-openclaw-agent-id"),
} as const satisfies Record<string, (clues: IdentityClues) => string | null | undefined>;
type KeyRule = keyof typeof keyRules;

const seedRules: ReadonlySet<KeyRule> = new Set([
  "openclaw-session-key",
  "openclaw-chat-id",
  "openclaw-agent-id",
]);
const MAX_KEY_CHARACTERS = 512;

/** Decides whose conversation a request continues. Throws `invalid_request` for a key that is no key. */
export function identify(clues: IdentityClues): SessionIdentity {
  for (const [rule, read] of Object.entries(keyRules) as [
    KeyRule,
    (clues: IdentityClues) => string | null | undefined,
  ][]) {
    const key = read(clues);
    if (!key) continue;
    // It goes into an agent's environment, which takes neither NUL nor half a character.
    if (key.length > MAX_KEY_CHARACTERS || /\p{Cc}/u.test(key) || !key.isWellFormed()) {
      throw new WireFailure(
        "invalid_request",
        `the session key (${rule}) must have at most ${MAX_KEY_CHARACTERS} characters, all of them printable`,
      );
    }
    return { rule, key };
  }
  return { rule: "transcript" };
}

/**
 * The public id of a session: one per API key, agent, rule and session key. The seed's three headers are one
 * rule here: they are ways to say the same key.
 */
export function sessionId({ caller, agent }: IdentityClues, rule: KeyRule, key: string): string {
  const kind = seedRules.has(rule) ? "seed" : rule;
  return `ses_${sha256([caller.name, agent.name, kind, key]).slice(0, 24)}`;
}

/** Transcripts are compared among the sessions of one API key, `user` and agent only. */
export function transcriptScope({ caller, agent, body }: IdentityClues): string {
  return sha256([caller.name, body.user ?? "", agent.name]);
}

function sha256(parts: readonly string[]): string {
  return createHash("sha256").update(JSON.stringify(parts)).digest("hex");
}

/** A header's value, as text: Node reads header bytes as Latin-1, clients send UTF-8. */
export function header(headers: IncomingHttpHeaders, name: string): string | undefined {
  const value = headers[name];
  return typeof value === "string" && value !== ""
    ? Buffer.from(value, "latin1").toString("utf8")
    : undefined;
}
