import { respondJson } from "../http/respond.ts";
import type { Route } from "./route-context.ts";

/** `GET /v1/models`: the agents. */
export const getModels: Route = async ({ response }, _caller, { configuration }) => {
  const data = Object.keys(configuration.agents).map(modelBody);
  respondJson(response, 200, { object: "list", data });
};

/** An agent as a model of OpenAI's. */
export function modelBody(id: string): object {
  return { id, object: "model", created: 0, owned_by: "synthesis" };
}
