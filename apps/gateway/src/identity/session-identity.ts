import type { IncomingHttpHeaders } from "node:http";
import { WireFailure } from "@synthesis/protocol";
import type { TurnRequest } from "../turn-request/turn-request.ts";
import type { Caller } from "../http/edge-guard.ts";
import type { ChosenAgent } from "./choose-agent.ts";
import { hashOf } from "./hash-of.ts";
import type { HistoryPolicy } from "./history-policy.ts";

/** What a request says of its conversation. */
export interface IdentityClues {
  readonly headers: IncomingHttpHeaders;
  readonly turnRequest: Pick<TurnRequest, "names" | "user" | "messages">;
  readonly caller: Caller;
  readonly agent: ChosenAgent;
  readonly history: HistoryPolicy;
  /** What the client's own conventions say of it: the session that they name, or that it belongs to none. */
  readonly convention: { readonly session?: string | undefined; readonly isSideRequest: boolean };
}

/**
 * Which rule decided, and what it gave. `transcript`: none did; the messages themselves are compared. `stateless`,
 * `side-request`: it belongs to no conversation.
 */
export type SessionIdentity =
  | { readonly rule: KeyRule; readonly key: string }
  | { readonly rule: "previous-turn"; readonly turn: string }
  | { readonly rule: "stateless" | "side-request" | "transcript" };

/** The rules that read a key, first one wins (DESIGN.md, "Identity is explicit, never guessed"). */
const keyRules = {
  "openclaw-session-key": ({ headers }: IdentityClues) => header(headers, "x-openclaw-session-key"),
  "openclaw-chat-id": ({ headers, agent }: IdentityClues) => {
    const chat = header(headers, "x-openclaw-chat-id");
    return chat && `${header(headers, "x-openclaw-agent-id") ?? agent.name}::${chat}`;
  },
  // OpenClaw's ends in `:N`, and N grows with /new and with compaction: another key, so a conversation begun anew.
  "session-affinity": ({ headers }: IdentityClues) =>
    header(headers, "x-session-affinity") ?? header(headers, "session_id"),
  "prompt-cache-key": ({ turnRequest }: IdentityClues) => turnRequest.names.promptCacheKey,
  conversation: ({ turnRequest }: IdentityClues) => turnRequest.names.conversation,
  "metadata-session-id": ({ turnRequest }: IdentityClues) => turnRequest.names.metadataSession,
  "openclaw-runtime": ({ convention }: IdentityClues) => convention.session,
  "openclaw-agent-id": ({ headers }: IdentityClues) => header(headers, "x-openclaw-agent-id"),
} as const satisfies Record<string, (clues: IdentityClues) => string | undefined>;
export type KeyRule = keyof typeof keyRules;

const seedRules: ReadonlySet<string> = new Set<KeyRule>([
  "openclaw-session-key",
  "openclaw-chat-id",
  "openclaw-agent-id",
]);
const MAX_KEY_CHARACTERS = 512;

/** Decides whose conversation a request continues. Throws `invalid_request` for a key that is no key. */
export function identify(clues: IdentityClues): SessionIdentity {
  const { history, convention, turnRequest } = clues;
  if (history === "stateless") {
    if (turnRequest.names.previousTurn !== undefined)
      throw new WireFailure("invalid_request", STATELESS_PAIR);
    return { rule: "stateless" };
  }
  if (convention.isSideRequest && history === "auto") return { rule: "side-request" };
  if (turnRequest.names.previousTurn !== undefined)
    return { rule: "previous-turn", turn: turnRequest.names.previousTurn };
  for (const [rule, read] of Object.entries(keyRules) as [
    KeyRule,
    (clues: IdentityClues) => string | undefined,
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

const STATELESS_PAIR =
  "previous_response_id: a stateless request goes on from nothing: leave it out, or the header x-synthesis-history";

/**
 * Whether a client that names its session by this rule may send only what is new: the seed's clients do, and a
 * `conversation` is by its definition what its server remembers. OpenClaw itself always sends all.
 */
export function mayAppend(rule: SessionIdentity["rule"], { headers, convention }: IdentityClues): boolean {
  if (rule === "conversation") return true;
  const hasAffinity = header(headers, "x-session-affinity") ?? header(headers, "session_id");
  return seedRules.has(rule) && convention.session === undefined && hasAffinity === undefined;
}

/**
 * The public id of a session: one per API key, agent, rule and session key. The seed's three headers are one
 * rule here: they are ways to say the same key.
 */
export function sessionId({ caller, agent }: IdentityClues, rule: KeyRule, key: string): string {
  const kind = seedRules.has(rule) ? "seed" : rule;
  return `ses_${hashOf(caller.name, agent.name, kind, key).slice(0, 24)}`;
}

/** Transcripts are compared among the sessions without a key of one API key, `user` and agent only. */
export function transcriptScope({ caller, agent, turnRequest }: IdentityClues): string {
  return hashOf(caller.name, turnRequest.user ?? "", agent.name);
}

/** The scope of a session with a key: no other is in it, so that none is found by its transcript. */
export function ownScope(session: string): string {
  return hashOf("session", session);
}

/** A header's value, as text: Node reads header bytes as Latin-1, clients send UTF-8. */
export function header(headers: IncomingHttpHeaders, name: string): string | undefined {
  const value = headers[name];
  return typeof value === "string" && value !== ""
    ? Buffer.from(value, "latin1").toString("utf8")
    : undefined;
}
