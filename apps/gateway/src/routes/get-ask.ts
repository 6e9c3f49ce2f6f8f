import { askBody } from "../asks/ask-body.ts";
import { respondJson } from "../http/respond.ts";
import { findAsk } from "./find-ask.ts";
import type { Route } from "./route-context.ts";

/** `GET /v1/synthesis/asks/:id`: an open ask. */
export const getAsk: Route = async (exchange, caller, parts) => {
  const { workspace, ask } = await findAsk(exchange, caller, parts);
  respondJson(exchange.response, 200, { workspace, ...askBody(ask) });
};
