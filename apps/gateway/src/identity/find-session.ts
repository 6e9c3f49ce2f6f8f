import { nanoid } from "nanoid";
import type { TurnSession } from "../turn/chat-turn.ts";
import type { WorkerLink } from "../worker/worker-link.ts";
import type { Conversation } from "./conversation.ts";
import { sessionId, transcriptScope, type IdentityClues, type SessionIdentity } from "./session-identity.ts";

/** The session whose transcript is this request's history, where no key names one. Rejects with a `WireFailure`. */
export async function locateSession(
  identity: SessionIdentity,
  clues: IdentityClues,
  conversation: Conversation,
  link: WorkerLink,
): Promise<string | undefined> {
  if (identity.rule !== "transcript" || conversation.earlier.length === 0) return undefined;
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
  located: string | undefined,
  isBusy: (session: string) => boolean,
): TurnSession {
  const scope = transcriptScope(clues);
  if (identity.rule !== "transcript") {
    const { rule, key } = identity;
    return { id: sessionId(clues, rule, key), key, scope, rule, isNew: false };
  }
  if (located !== undefined && !isBusy(located)) {
    const expectHead = conversation.hashBefore;
    return { id: located, key: located, scope, rule: "transcript", expectHead, isNew: false };
  }
  const id = `ses_${nanoid(24)}`;
  return { id, key: id, scope, rule: "new", isNew: true };
}
