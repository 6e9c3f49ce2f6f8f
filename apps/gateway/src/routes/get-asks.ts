import { listAsks } from "@synthesis/kit";
import { askBody } from "../asks/ask-body.ts";
import { respondJson } from "../http/respond.ts";
import { callerSessions } from "./caller-sessions.ts";
import type { Route } from "./route-context.ts";

/** `GET /v1/synthesis/asks`: what waits for a verdict in the caller's sessions, the oldest first. */
export const getAsks: Route = async (exchange, caller, parts) => {
  const { answers, failures } = await listAsks(callerSessions(exchange.request, caller, parts));
  respondJson(exchange.response, 200, {
    object: "list",
    data: answers.map(({ workspace, ask }) => ({ workspace, ...askBody(ask) })),
    unavailable: failures.map(({ workspace }) => workspace),
  });
};
