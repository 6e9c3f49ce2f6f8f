import { respondJson } from "../http/respond.ts";
import { chooseAgent } from "../identity/choose-agent.ts";
import { modelBody } from "./get-models.ts";
import type { Route } from "./route-context.ts";

/** `GET /v1/models/:id`: one of the agents. Rejects with `model_not_found`. */
export const getModel: Route = async ({ response, params }, _caller, { configuration }) => {
  const { name } = chooseAgent(configuration, unescaped(params["id"] ?? ""), undefined);
  respondJson(response, 200, modelBody(name));
};

/** Clients escape what they put into a path. */
function unescaped(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}
