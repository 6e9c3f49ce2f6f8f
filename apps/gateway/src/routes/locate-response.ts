import { WireFailure } from "@synthesis/protocol";
import type { Caller } from "../http/edge-guard.ts";
import { turnOf } from "../responses/response-id.ts";
import { adoptTurn } from "../turn/adopt-turn.ts";
import type { LiveTurn } from "../turn/live-turn.ts";
import { locateTurn, type LocatedTurn } from "./locate-turn.ts";
import type { Exchange, GatewayParts } from "./route-context.ts";

/** Finds the turn of the response that a path names. Rejects with `turn_not_found`. */
export async function locateResponse(
  exchange: Exchange,
  caller: Caller,
  parts: GatewayParts,
): Promise<LocatedTurn> {
  const id = turnOf(exchange.params["id"] ?? "");
  if (id === undefined)
    throw new WireFailure(
      "turn_not_found",
      "a response's id is resp_ and 32 digits: no response has this one",
    );
  return locateTurn({ ...exchange, params: { id } }, caller, parts);
}

/** The turn, for whoever wants to read or end it. Throws `turn_not_found` where it was forgotten this moment. */
export function turnToFollow({ caller, live, known }: LocatedTurn, parts: GatewayParts): LiveTurn {
  const turn = live ?? (known && adoptTurn(caller, known.info, known, parts));
  if (turn === undefined) throw new WireFailure("turn_not_found", "the turn is not known any more");
  return turn;
}
