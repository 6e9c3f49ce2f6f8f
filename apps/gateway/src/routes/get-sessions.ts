import { respondJson } from "../http/respond.ts";
import { callerSessions } from "./caller-sessions.ts";
import type { Route } from "./route-context.ts";
import { sessionBody } from "./session-body.ts";

/** `GET /v1/synthesis/sessions`: the caller's sessions, the last used first; and who could not be asked for theirs. */
export const getSessions: Route = async (exchange, caller, parts) => {
  const { answers, failures } = await callerSessions(exchange.request, caller, parts).query(
    async ({ workspace, client }) => (await client.list()).map((session) => ({ workspace, session })),
  );
  const sessions = answers.flat().sort((a, b) => b.session.usedAt - a.session.usedAt);
  respondJson(exchange.response, 200, {
    object: "list",
    data: sessions.map(({ workspace, session }) => sessionBody(workspace, session)),
    unavailable: failures.map(({ workspace }) => workspace),
  });
};
