import { AskVerdict } from "@synthesis/protocol";
import { settlementBody } from "../asks/ask-body.ts";
import { readJson } from "../http/read-json.ts";
import { respondJson } from "../http/respond.ts";
import { readShape } from "../turn-request/read-shape.ts";
import { atAsk } from "./at-ask.ts";
import type { Route } from "./route-context.ts";

/** `POST /v1/synthesis/asks/:id`: the verdict on an ask. Rejects with `ask_settled` where it has one. */
export const postAsk: Route = async (exchange, caller, parts) => {
  const { value: body } = await readJson(exchange.request, parts.configuration.limits.bodyBytes);
  const verdict = readShape(AskVerdict, body);
  const { workspace, value } = await atAsk(exchange, caller, parts, async (client, id) =>
    client.answerAsk(id, { ...verdict, by: "api" }),
  );
  respondJson(exchange.response, 200, { workspace, ...settlementBody(value) });
};
