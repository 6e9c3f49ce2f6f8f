import { respondJson } from "../http/respond.ts";
import { findSession } from "./find-session.ts";
import type { Route } from "./route-context.ts";
import { sessionBody, sessionTurnBody } from "./session-body.ts";

/** `GET /v1/synthesis/sessions/:id`: a session, with what was allowed in it for good, and its latest turns. */
export const getSession: Route = async (exchange, caller, parts) => {
  const { workspace, session, allowed, turns } = await findSession(exchange, caller, parts);
  respondJson(exchange.response, 200, {
    ...sessionBody(workspace, session),
    allowed,
    turns: turns.map(sessionTurnBody),
  });
};
