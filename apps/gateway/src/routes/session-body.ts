import type { SessionInfo, SessionTurn } from "@synthesis/protocol";
import { isoTime } from "../http/iso-time.ts";

/** A session as the API tells it. */
export function sessionBody(workspace: string, session: SessionInfo): object {
  const { id, key, agent, state, createdAt, usedAt, turns, pid, agentSession } = session;
  return {
    id,
    workspace,
    agent,
    key,
    state,
    created_at: isoTime(createdAt),
    used_at: isoTime(usedAt),
    turn_count: turns,
    pid,
    agent_session: agentSession,
  };
}

/** A turn of a session as the API tells it. */
export function sessionTurnBody({ id, state, acceptedAt, endedAt, errorCode }: SessionTurn): object {
  return {
    id,
    state,
    accepted_at: isoTime(acceptedAt),
    ended_at: endedAt === undefined ? undefined : isoTime(endedAt),
    error_code: errorCode,
  };
}
