import { WireFailure, type Located } from "@synthesis/protocol";
import { nanoid } from "nanoid";
import { hasAnswers, type Conversation } from "../turn-request/conversation.ts";
import { pointsBefore, type Match } from "../turn-request/compose-history.ts";
import { pointsToName } from "../turn-request/transcript-points.ts";
import type { WorkerLink } from "../worker/worker-link.ts";
import { callerHash, type RequestParts } from "./request-identity.ts";
import { mayAppend, ownScope, sessionId, transcriptScope, type SessionIdentity } from "./session-identity.ts";

/** The session that a turn belongs to. */
export interface TurnSession {
  readonly id: string;
  readonly key: string;
  readonly scope: string;
  /** The rule that found it. */
  readonly rule: SessionIdentity["rule"] | "new";
  /** How the conversation goes on from it. Absent: its worker is asked when the turn's time has come. */
  readonly match?: Match;
}

/** What a request's worker knows of the session that its messages, or an earlier turn, name. */
export type LocatedSession = Pick<Located, "session" | "agent" | "key" | "point" | "isHead" | "reset">;

/**
 * Asks for the session of a request that no key names: its queue is not known without. Rejects with a `WireFailure`:
 * `turn_not_found` where it goes on from a turn that nothing goes on from, or not what it asks.
 */
export async function locateSession(
  { identity, clues, conversation }: RequestParts,
  link: WorkerLink,
  driverOf: (agent: string) => string | undefined,
): Promise<LocatedSession> {
  if (identity.rule === "previous-turn") {
    const { turn } = identity;
    const located = await link.locate({ turn, caller: callerHash(clues.caller.name) });
    const { session, point, agent: owner } = located;
    if (session === undefined || point === undefined || owner === undefined)
      throw new WireFailure("turn_not_found", NO_SUCH_TURN);
    const { name } = clues.agent;
    if (owner === name || driverOf(owner) === driverOf(name)) return located;
    const message = `the turn that the request names as its previous one is of agent "${owner}", whose conversations "${name}" cannot go on from: ask "${owner}", or send the messages themselves`;
    throw new WireFailure("turn_not_found", message);
  }
  if (identity.rule !== "transcript" || clues.history === "append") return {};
  const points = pointsToName(pointsBefore(conversation));
  return points.length === 0 ? {} : link.locate({ scope: transcriptScope(clues), points });
}

const NO_SUCH_TURN =
  "no conversation of this API key goes on from the turn that the request names as its previous one: it is not known any more, is not over, or said nothing";

/**
 * The session that a request continues, or a new one. That of another agent is never continued: a new one branches off.
 *
 * A session located by its transcript that is busy is not taken: when its turn has ended its transcript is
 * another one, and this request's history a branch of it. So its queue must be entered in the same loop turn,
 * before another request can find it idle.
 */
export function chooseSession(
  { identity, clues }: RequestParts,
  located: LocatedSession,
  isBusy: (session: string) => boolean,
): TurnSession {
  const { rule } = identity;
  if ("key" in identity) {
    const { key } = identity;
    const id = sessionId(clues, identity.rule, key);
    return { id, key, scope: ownScope(id), rule };
  }
  const scope = transcriptScope(clues);
  const id = `ses_${nanoid(24)}`;
  if (rule === "stateless" || rule === "side-request")
    return { id, key: id, scope: ownScope(id), rule, match: { type: "stateless" } };
  const { session, key = session, agent, point, isHead, reset } = located;
  const isOwn = agent === clues.agent.name && isHead === true;
  if (session !== undefined && key !== undefined && point !== undefined && isOwn && !isBusy(session)) {
    const match: Match = reset === undefined ? { type: "head", point } : { type: "lost" };
    return { id: session, key, scope, rule, match };
  }
  if (session === undefined || point === undefined)
    return { id, key: id, scope, rule: rule === "transcript" ? "new" : rule, match: { type: "unknown" } };
  return { id, key: id, scope, rule, match: { type: "earlier", point, of: session } };
}

/** How the conversation goes on from a session with a key, as its worker knows it now. Rejects with a `WireFailure`. */
export async function matchSession(
  session: string,
  { identity: { rule }, clues, conversation }: RequestParts,
  link: WorkerLink,
): Promise<Match> {
  const isAppended = clues.history === "append";
  const isNew = clues.history === "auto" && mayAppend(rule, clues) && isNewOnly(conversation, rule);
  // What a `conversation` is sent without answers is new, whatever it was told before in the same words.
  const isToAdd = isAppended || (isNew && rule === "conversation");
  const points = isToAdd ? [] : pointsToName(pointsBefore(conversation));
  const located = await link.locate({ session, points });
  if (located.session === undefined) return { type: "unknown" };
  const { point, isHead, reset } = located;
  const added: Match = { type: "append", isRemembered: reset === undefined };
  if (isAppended) return added;
  if (reset !== undefined) return isNew ? added : { type: "lost" };
  if (point !== undefined) return isHead === true ? { type: "head", point } : { type: "earlier", point };
  return isNew ? added : { type: "other" };
}

/** Clients that send only what is new send one message; a conversation may get several. */
function isNewOnly(conversation: Conversation, rule: SessionIdentity["rule"]): boolean {
  const { messages } = conversation;
  if (rule === "conversation") return !hasAnswers(conversation);
  return messages.length === 1 && messages[0]?.role === "user";
}
