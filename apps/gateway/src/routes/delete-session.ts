import { WireFailure } from "@synthesis/protocol";
import { respondJson } from "../http/respond.ts";
import { findSession } from "./find-session.ts";
import type { Route } from "./route-context.ts";

/**
 * `DELETE /v1/synthesis/sessions/:id`: cancels what waits or runs of a session, ends its process, forgets it. Answered
 * when that is done.
 */
export const deleteSession: Route = async (exchange, caller, parts) => {
  const { workspace, client, session } = await findSession(exchange, caller, parts);
  const { id } = session;
  const reason = new WireFailure("turn_cancelled", "the turn was cancelled: its session was ended");
  parts.queues.dismiss(`${workspace}/${id}`, reason);
  await client.end(id);
  respondJson(exchange.response, 200, { id, workspace, deleted: true });
};
