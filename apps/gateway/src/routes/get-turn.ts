import { respondJson } from "../http/respond.ts";
import { errorBody } from "../answer/error-body.ts";
import { isoTime } from "../http/iso-time.ts";
import { locateTurn } from "./locate-turn.ts";
import type { Route } from "./route-context.ts";

/** `GET /v1/synthesis/turns/:id`: in which state a turn is, and how it ended. */
export const getTurn: Route = async (exchange, caller, parts) => {
  const { id, live, known } = await locateTurn(exchange, caller, parts);
  if (known === undefined) {
    const state = live?.state === "steered" ? "steered" : "waiting";
    return respondJson(exchange.response, 200, { id, session: live?.session, state });
  }
  const { turn, session, agent, state, seq, acceptedAt, endedAt, end } = known.info;
  respondJson(exchange.response, 200, {
    id: turn,
    session,
    agent,
    state,
    last_event: `${turn}:${seq}`,
    accepted_at: isoTime(acceptedAt),
    ...(endedAt === undefined ? {} : { ended_at: isoTime(endedAt) }),
    ...(end === undefined || end.state === "completed" ? {} : errorBody(end.error)),
  });
};
