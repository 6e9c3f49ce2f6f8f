import { WireFailure } from "@synthesis/protocol";
import { header } from "../identity/session-identity.ts";
import { StreamOutput } from "../chat/stream-output.ts";
import { locateTurn, turnToFollow } from "./locate-turn.ts";
import type { Route } from "./route-context.ts";
import { serveTurn } from "./serve-turn.ts";

/**
 * `GET /v1/synthesis/turns/:id/events`: the turn's stream, from its start or from what `Last-Event-ID` names, to
 * its end. Who reads it may leave without an effect on the turn.
 */
export const getTurnEvents: Route = async (exchange, caller, parts) => {
  const { request, response } = exchange;
  const located = await locateTurn(exchange, caller, parts);
  const { id, known } = located;
  const after = lastSeq(header(request.headers, "last-event-id"), id, known?.info.seq ?? 0);
  const turn = turnToFollow(located, parts);
  const { heartbeatMs, clientBufferBytes } = parts.configuration.limits;
  const output = new StreamOutput(response, {
    model: turn.agent,
    includeUsage: true,
    heartbeatMs,
    maxBufferedBytes: clientBufferBytes,
  });
  serveTurn(turn, output, response, {
    turns: parts.turns,
    onVanish: "watch",
    isJoined: true,
    after,
  });
};

/** The number of the event that the client has, from `<turn>:<number>`, as the events have it, or the number alone. */
function lastSeq(eventId: string | undefined, turn: string, latest: number): number {
  const seq = /^(?:(?<turn>[^:]*):)?(?<number>\d{1,15})$/.exec(eventId ?? "0")?.groups;
  const number = Number(seq?.["number"]);
  if ((seq?.["turn"] ?? turn) === turn && number <= latest) return number;
  throw new WireFailure("invalid_request", "last-event-id: must be the id of an event of this turn");
}
