import { readJson } from "../http/read-json.ts";
import { respondError } from "../http/respond.ts";
import { WholeOutput } from "../answer/whole-output.ts";
import { completionBody } from "../chat/completion-body.ts";
import { readChatRequest } from "../chat/read-chat-request.ts";
import { StreamOutput } from "../chat/stream-output.ts";
import type { Route } from "./route-context.ts";
import { serveTurnRequest, type AnswerAbout } from "./serve-turn-request.ts";

/** `POST /v1/chat/completions`: one turn of a conversation, streamed or not. */
export const postChatCompletions: Route = async (exchange, caller, parts) => {
  const { request, response } = exchange;
  const { bodyBytes, heartbeatMs, clientBufferBytes } = parts.configuration.limits;
  const { value, bytes: body } = await readJson(request, bodyBytes);
  const { turnRequest, includeUsage } = readChatRequest(value);
  const makeOutput = (about: AnswerAbout) =>
    turnRequest.isStreamed
      ? new StreamOutput(response, {
          ...about,
          includeUsage,
          heartbeatMs,
          maxBufferedBytes: clientBufferBytes,
        })
      : new WholeOutput(response, {
          body: (answer) => completionBody(about, answer),
          respondError,
          reasoning: "told",
        });
  await serveTurnRequest(turnRequest, { body, makeOutput }, exchange, caller, parts);
};
