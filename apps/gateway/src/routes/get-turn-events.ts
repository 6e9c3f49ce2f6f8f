import { WireFailure } from "@synthesis/protocol";
import { header } from "../identity/session-identity.ts";
import { StreamOutput } from "../openai/stream-output.ts";
import { adoptTurn } from "../turn/adopt-turn.ts";
import { locateTurn } from "./locate-turn.ts";
import type { Route } from "./route-context.ts";
import { serveTurn } from "./serve-turn.ts";

/**
 * `GET /v1/synthesis/turns/:id/events`: the turn's stream, from its start or from what `Last-Event-ID` names, to
 * its end. Who reads it may leave without an effect on the turn.
 */
export const getTurnEvents: Route = async (exchange, caller, parts) => {
  const { request, response } = exchange;
  const after = lastSeq(header(request.headers, "last-event-id"));
  const located = await locateTurn(exchange, caller, parts);
  const { live, known } = located;
  const turn = live ?? (known && adoptTurn(located.caller, known.info, known.connect, parts));
  if (turn === undefined) throw new WireFailure("turn_not_found", "the turn is not known any more");
  const { heartbeatMs, clientBufferBytes } = parts.configuration.limits;
  const output = new StreamOutput(response, {
    model: known?.info.agent ?? "synthesis",
    ignored: [],
    includeUsage: true,
    heartbeatMs,
    maxBufferedBytes: clientBufferBytes,
  });
  serveTurn(turn, output, response, {
    turns: parts.turns,
    onVanish: "continue",
    isJoined: true,
    after,
  });
};

/** `<turn>:<number>`, as the events have it, or the number alone. */
function lastSeq(id: string | undefined): number {
  if (id === undefined) return 0;
  const seq = Number(id.split(":").at(-1));
  if (Number.isSafeInteger(seq) && seq >= 0) return seq;
  throw new WireFailure("invalid_request", "last-event-id: must be the id of an event of this turn");
}
