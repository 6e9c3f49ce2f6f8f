import { WireFailure } from "@synthesis/protocol";
import type { Caller } from "../http/edge-guard.ts";
import { turnOf } from "../responses/response-id.ts";
import { locateTurn, type LocatedTurn } from "./locate-turn.ts";
import type { GatewayParts } from "../gateway-parts.ts";
import type { Exchange } from "./route-context.ts";

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
