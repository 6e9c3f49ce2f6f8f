import { AskVerdict } from "@synthesis/protocol";
import * as z from "zod";
import { settlementBody } from "../asks/ask-body.ts";
import { readJson } from "../http/read-json.ts";
import { respondJson } from "../http/respond.ts";
import { readShape } from "../turn-request/read-shape.ts";
import { findAsk } from "./find-ask.ts";
import type { Route } from "./route-context.ts";

/** What else a body says would seem to have an effect. */
const VerdictBody = z.strictObject(AskVerdict.shape, {
  error: (issue) =>
    issue.code === "unrecognized_keys"
      ? `a verdict has behavior, message and answers, but not ${issue.keys.join(", ")}: leave that out`
      : undefined,
});

/** `POST /v1/synthesis/asks/:id`: the verdict on an ask. Rejects with `ask_settled` where it has one. */
export const postAsk: Route = async (exchange, caller, parts) => {
  const { value: body } = await readJson(exchange.request, parts.configuration.limits.bodyBytes);
  const verdict = readShape(VerdictBody, body);
  const { workspace, client, ask } = await findAsk(exchange, caller, parts);
  const settlement = await client.answerAsk(ask.id, { ...verdict, by: "api" });
  respondJson(exchange.response, 200, { workspace, ...settlementBody(settlement) });
};
