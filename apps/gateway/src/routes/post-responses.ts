import type { ServerResponse } from "node:http";
import { readJson } from "../http/read-json.ts";
import { BackgroundOutput } from "../responses/background-output.ts";
import { wholeResponse } from "../responses/whole-response.ts";
import { readResponseRequest, type UnderstoodResponse } from "../responses/response-request.ts";
import { ResponseStreamOutput } from "../responses/response-stream-output.ts";
import type { AnswerOutput } from "../answer/answer-output.ts";
import type { GatewayParts } from "../gateway-parts.ts";
import type { Route } from "./route-context.ts";
import { serveTurnRequest, type AnswerAbout } from "./serve-turn-request.ts";

/** `POST /v1/responses`: one turn of a conversation, streamed, whole, or in the background. */
export const postResponses: Route = async (exchange, caller, parts) => {
  const { value, bytes } = await readJson(exchange.request, parts.configuration.limits.bodyBytes);
  const asked = readResponseRequest(value);
  const makeOutput = (about: AnswerAbout) => outputOf(exchange.response, asked, about, parts);
  const vanish = asked.isBackground ? ({ onVanish: "continue" } as const) : {};
  await serveTurnRequest(asked.turnRequest, { body: bytes, makeOutput, ...vanish }, exchange, caller, parts);
};

function outputOf(
  response: ServerResponse,
  { turnRequest, isBackground, echo }: UnderstoodResponse,
  { model }: AnswerAbout,
  { configuration }: GatewayParts,
): AnswerOutput {
  const head = { model, createdAt: Date.now(), echo };
  const { heartbeatMs, clientBufferBytes: maxBufferedBytes } = configuration.limits;
  if (turnRequest.isStreamed)
    return new ResponseStreamOutput(response, { head, heartbeatMs, maxBufferedBytes });
  return isBackground ? new BackgroundOutput(response, head) : wholeResponse(response, head);
}
