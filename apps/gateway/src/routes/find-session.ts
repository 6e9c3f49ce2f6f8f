import { WireFailure, type SessionDetail } from "@synthesis/protocol";
import type { Caller } from "../http/edge-guard.ts";
import { askWorkers } from "./ask-workers.ts";
import { callerSessions, type CallerSessions } from "./caller-sessions.ts";
import type { Exchange, GatewayParts } from "./route-context.ts";

/** A session of the caller's API key, and where it is. */
export interface FoundSession extends CallerSessions, SessionDetail {}

/**
 * Finds the session that a path names. Rejects with `session_not_found`; with `invalid_request` where it is in
 * several workspaces, as that of one key can be; and with why it may have been overlooked.
 */
export async function findSession(
  exchange: Exchange,
  caller: Caller,
  parts: GatewayParts,
): Promise<FoundSession> {
  const id = exchange.params["id"] ?? "";
  const { answers, failures } = await askWorkers(exchange.request, parts, async (asked) => {
    const sessions = await callerSessions(asked, caller, parts);
    const detail = await sessions.client.get(id).catch(ignoreUnknown);
    return detail && { ...sessions, ...detail };
  });
  const [found, ...more] = answers.filter((answer) => answer !== undefined);
  if (found !== undefined && more.length === 0) return found;
  if (found !== undefined) {
    const names = [found, ...more].map(({ workspace }) => workspace).join(", ");
    const message = `several workspaces have this session (${names}): name one of them with ?workspace=`;
    throw new WireFailure("invalid_request", message);
  }
  if (failures[0] !== undefined) throw unavailable(failures[0].workspace, failures[0].error);
  throw new WireFailure(
    "session_not_found",
    "no workspace that was asked knows a session of this API key with this id: ?workspace= asks one that is not at work",
  );
}

function ignoreUnknown(error: unknown): undefined {
  if (!(error instanceof WireFailure && error.error.code === "session_not_found")) throw error;
}

function unavailable(workspace: string, cause: unknown): WireFailure {
  const message = `the worker of workspace "${workspace}" does not answer, and may have the session: try again in a moment`;
  return new WireFailure("worker_unavailable", message, { retryAfterMs: 1_000, cause });
}
