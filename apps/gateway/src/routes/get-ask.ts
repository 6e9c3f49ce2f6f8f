import { askBody } from "../asks/ask-body.ts";
import { respondJson } from "../http/respond.ts";
import { atAsk } from "./at-ask.ts";
import type { Route } from "./route-context.ts";

/** `GET /v1/synthesis/asks/:id`: an open ask. */
export const getAsk: Route = async (exchange, caller, parts) => {
  const { workspace, value } = await atAsk(exchange, caller, parts, async (client, id) => client.getAsk(id));
  respondJson(exchange.response, 200, { workspace, ...askBody(value) });
};
