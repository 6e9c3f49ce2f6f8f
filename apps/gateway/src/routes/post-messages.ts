import { readJson } from "../http/read-json.ts";
import { WholeOutput } from "../answer/whole-output.ts";
import { requestIdHeader, respondMessagesError } from "../messages/error-answer.ts";
import { messageBody } from "../messages/message-body.ts";
import { MessageStreamOutput } from "../messages/message-stream-output.ts";
import { readMessagesRequest } from "../messages/messages-request.ts";
import type { Route } from "./route-context.ts";
import { serveTurnRequest, type AnswerAbout } from "./serve-turn-request.ts";

/** `POST /v1/messages`: one turn of a conversation in the words of Anthropic's API, streamed or not. */
export const postMessages: Route = async (exchange, caller, parts) => {
  const { request, response } = exchange;
  const { bodyBytes, heartbeatMs, clientBufferBytes: maxBufferedBytes } = parts.configuration.limits;
  const { value, bytes } = await readJson(request, bodyBytes);
  const { turnRequest, reasoning } = readMessagesRequest(value);
  const makeOutput = ({ model }: AnswerAbout) => {
    for (const [name, id] of Object.entries(requestIdHeader(response))) response.setHeader(name, id);
    return turnRequest.isStreamed
      ? new MessageStreamOutput(response, { model, reasoning, heartbeatMs, maxBufferedBytes })
      : new WholeOutput(response, {
          body: ({ turn, blocks, end }) => messageBody({ turn, model }, blocks, end),
          respondError: respondMessagesError,
          reasoning,
        });
  };
  await serveTurnRequest(turnRequest, { body: bytes, makeOutput }, exchange, caller, parts);
};
