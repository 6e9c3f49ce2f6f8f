import type { Located } from "@synthesis/protocol";
import { nanoid } from "nanoid";
import type { WorkerLink } from "../worker/worker-link.ts";
import type { Conversation } from "./conversation.ts";
import { sessionId, transcriptScope, type IdentityClues, type SessionIdentity } from "./session-identity.ts";

/** The session that a turn belongs to. */
export interface TurnSession {
  readonly id: string;
  readonly key: string;
  readonly scope: string;
  /** The rule that found it. */
  readonly rule: string;
  /** It was found by its transcript, which must have this hash when the turn is accepted. */
  readonly expectHead?: string;
  /** Its worker does not know it: its agent is told what came before. */
  readonly isNew: boolean;
  /** Its agent lost the conversation, and why: it begins anew. */
  readonly reset?: string;
}

/** What a request's worker knows of its session. */
export type LocatedSession = Pick<Located, "session" | "reset">;

/** Asks for the session that a request's key or, without one, its history names. Rejects with a `WireFailure`. */
export async function locateSession(
  identity: SessionIdentity,
  clues: IdentityClues,
  conversation: Conversation,
  link: WorkerLink,
): Promise<LocatedSession> {
  if (identity.rule !== "transcript")
    return link.locate({ session: sessionId(clues, identity.rule, identity.key) });
  if (conversation.earlier.length === 0) return {};
  return link.locate({ scope: transcriptScope(clues), head: conversation.hashBefore });
}

/**
 * The session that a request continues, or a new one.
 *
 * A session located by its transcript that is busy is not taken: when its turn has ended its transcript is
 * another one, and this request's history a branch of it. So its queue must be entered in the same loop turn,
 * before another request can find it idle.
 */
export function chooseSession(
  identity: SessionIdentity,
  clues: IdentityClues,
  conversation: Conversation,
  { session: located, reset }: LocatedSession,
  isBusy: (session: string) => boolean,
): TurnSession {
  const scope = transcriptScope(clues);
  const lost = reset === undefined ? {} : { reset };
  if (identity.rule !== "transcript") {
    const { rule, key } = identity;
    const id = sessionId(clues, rule, key);
    // One that is busy is made, or mended, by the turns before this one.
    const isNew = located === undefined && !isBusy(id);
    return { id, key, scope, rule, isNew, ...(isBusy(id) ? {} : lost) };
  }
  if (located !== undefined && !isBusy(located)) {
    const expectHead = conversation.hashBefore;
    return { id: located, key: located, scope, rule: "transcript", expectHead, isNew: false, ...lost };
  }
  const id = `ses_${nanoid(24)}`;
  return { id, key: id, scope, rule: "new", isNew: true };
}
