import { respondJson } from "../http/respond.ts";
import { locateTurn } from "./locate-turn.ts";
import type { Route } from "./route-context.ts";

const WHY = "asked to by DELETE";

/** `DELETE /v1/synthesis/turns/:id`: cancels a turn, waiting or running. One that is over stays as it ended; what it asked then is denied. */
export const deleteTurn: Route = async (exchange, caller, parts) => {
  const { id, live, known } = await locateTurn(exchange, caller, parts);
  if (known?.info.end !== undefined) {
    (await known.connect()).cancel(id, WHY);
    return respondJson(exchange.response, 200, { id, state: known.info.state });
  }
  if (live !== undefined) live.cancel(WHY);
  else (await known?.connect())?.cancel(id, WHY);
  respondJson(exchange.response, 202, { id, state: "cancelling" });
};
