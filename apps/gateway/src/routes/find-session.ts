import { WireFailure, type SessionDetail } from "@synthesis/protocol";
import type { GatewayParts } from "../gateway-parts.ts";
import type { Caller } from "../http/edge-guard.ts";
import { callerSessions, type CallerSessions } from "./caller-sessions.ts";
import { notFound } from "./queried-workers.ts";
import type { Exchange } from "./route-context.ts";

/** A session of the caller's API key, and where it is. */
export interface FoundSession extends CallerSessions, SessionDetail {}

/**
 * Finds the session that a path names. Rejects with `session_not_found`; with `invalid_request` where it is in
 * several workspaces, as that of one key can be; and with why it may have been overlooked.
 */
export async function findSession(
  { request, params }: Exchange,
  caller: Caller,
  parts: GatewayParts,
): Promise<FoundSession> {
  const id = params["id"] ?? "";
  const workers = callerSessions(request, caller, parts);
  const found = await workers.findAll("session_not_found", async (sessions): Promise<FoundSession> => ({
    ...sessions,
    ...(await sessions.client.get(id)),
  }));
  const [session, ...more] = found.answers;
  if (session === undefined) throw notFound("session", found);
  if (more.length === 0) return session;
  const names = found.answers.map(({ workspace }) => workspace).join(", ");
  const message = `several workspaces have this session (${names}): name one of them with ?workspace=`;
  throw new WireFailure("invalid_request", message);
}
