import { listSessions } from "@synthesis/kit";
import { respondJson } from "../http/respond.ts";
import { callerSessions } from "./caller-sessions.ts";
import type { Route } from "./route-context.ts";
import { sessionBody } from "./session-body.ts";

/** `GET /v1/synthesis/sessions`: the caller's sessions, the last used first; and who could not be asked for theirs. */
export const getSessions: Route = async (exchange, caller, parts) => {
  const { answers, failures } = await listSessions(callerSessions(exchange.request, caller, parts));
  respondJson(exchange.response, 200, {
    object: "list",
    data: answers.map(({ workspace, session }) => sessionBody(workspace, session)),
    unavailable: failures.map(({ workspace }) => workspace),
  });
};
