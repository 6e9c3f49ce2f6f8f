import { nanoid } from "nanoid";
import type { TurnSession } from "../turn/chat-turn.ts";
import type { SessionQueues } from "../turn/session-queues.ts";
import type { WorkerLink } from "../worker/worker-link.ts";
import type { Conversation } from "./conversation.ts";
import { identify, sessionId, transcriptScope, type IdentityClues } from "./session-identity.ts";

/**
 * The session that a request continues, or a new one. Rejects with a `WireFailure`.
 *
 * A session found by its transcript that is busy is not taken: when its turn has ended its transcript is
 * another one, and this request's history a branch of it.
 */
export async function findSession(
  clues: IdentityClues,
  conversation: Conversation,
  link: WorkerLink,
  queues: SessionQueues,
): Promise<TurnSession> {
  const identity = identify(clues);
  const scope = transcriptScope(clues);
  if (identity.rule !== "transcript") {
    const { rule, key } = identity;
    return { id: sessionId(clues, key), key, scope, rule, isNew: false };
  }
  const expectHead = conversation.hashBefore;
  const found =
    conversation.earlier.length === 0 ? undefined : await link.locate({ scope, head: expectHead });
  if (found !== undefined && !queues.isBusy(`${link.workspace}/${found}`)) {
    return { id: found, key: found, scope, rule: "transcript", expectHead, isNew: false };
  }
  const id = `ses_${nanoid(24)}`;
  return { id, key: id, scope, rule: "new", isNew: true };
}
