import { readJson } from "../http/read-json.ts";
import { requestIdHeader } from "../messages/error-answer.ts";
import { MessageOutput } from "../messages/message-output.ts";
import { MessageStreamOutput } from "../messages/message-stream-output.ts";
import { readMessagesRequest } from "../messages/messages-request.ts";
import type { Route } from "./route-context.ts";
import { serveTurnRequest, type AnswerAbout } from "./serve-turn-request.ts";

/** `POST /v1/messages`: one turn of a conversation in the words of Anthropic's API, streamed or not. */
export const postMessages: Route = async (exchange, caller, parts) => {
  const { request, response } = exchange;
  const { bodyBytes, heartbeatMs, clientBufferBytes: maxBufferedBytes } = parts.configuration.limits;
  const { value, bytes } = await readJson(request, bodyBytes);
  const { turnRequest, isStreamed, reasoning } = readMessagesRequest(value);
  const makeOutput = ({ model, ignored }: AnswerAbout) => {
    for (const [name, id] of Object.entries(requestIdHeader(response))) response.setHeader(name, id);
    const options = { model, ignored, reasoning };
    return isStreamed
      ? new MessageStreamOutput(response, { ...options, heartbeatMs, maxBufferedBytes })
      : new MessageOutput(response, options);
  };
  await serveTurnRequest(turnRequest, { body: bytes, makeOutput }, exchange, caller, parts);
};
