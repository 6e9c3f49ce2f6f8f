import { respondJson } from "../http/respond.ts";
import type { Route } from "./route-context.ts";

/** `GET /v1/models`: the agents. */
export const getModels: Route = async ({ response }, _caller, { configuration }) => {
  const data = Object.keys(configuration.agents).map((id) => ({
    id,
    object: "model",
    created: 0,
    owned_by: "synthesis",
  }));
  respondJson(response, 200, { object: "list", data });
};
