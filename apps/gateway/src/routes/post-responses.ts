import type { ServerResponse } from "node:http";
import { readJson } from "../http/read-json.ts";
import { BackgroundOutput } from "../responses/background-output.ts";
import { ResponseOutput } from "../responses/response-output.ts";
import { readResponseRequest, type ResponseOrder } from "../responses/response-request.ts";
import { ResponseStreamOutput } from "../responses/response-stream-output.ts";
import type { AnswerOutput } from "../turn/answer-output.ts";
import type { GatewayParts, Route } from "./route-context.ts";
import { serveTurnRequest, type AnswerAbout } from "./serve-turn-request.ts";

/** `POST /v1/responses`: one turn of a conversation, streamed, whole, or in the background. */
export const postResponses: Route = async (exchange, caller, parts) => {
  const { value, bytes } = await readJson(exchange.request, parts.configuration.limits.bodyBytes);
  const order = readResponseRequest(value);
  const makeOutput = (about: AnswerAbout) => outputOf(exchange.response, order, about, parts);
  const vanish = order.isBackground ? ({ onVanish: "continue" } as const) : {};
  await serveTurnRequest(order.turnRequest, { body: bytes, makeOutput, ...vanish }, exchange, caller, parts);
};

function outputOf(
  response: ServerResponse,
  { isStreamed, isBackground, echo }: ResponseOrder,
  { model, ignored }: AnswerAbout,
  { configuration }: GatewayParts,
): AnswerOutput {
  const options = { head: { model, createdAt: Date.now(), echo }, ignored };
  const { heartbeatMs, clientBufferBytes: maxBufferedBytes } = configuration.limits;
  if (isStreamed) return new ResponseStreamOutput(response, { ...options, heartbeatMs, maxBufferedBytes });
  return isBackground ? new BackgroundOutput(response, options) : new ResponseOutput(response, options);
}
