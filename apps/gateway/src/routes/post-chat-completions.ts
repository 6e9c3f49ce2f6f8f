import { readJson } from "../http/read-json.ts";
import { CompletionOutput } from "../openai/completion-output.ts";
import { readChatRequest } from "../openai/read-chat-request.ts";
import { StreamOutput } from "../openai/stream-output.ts";
import type { Route } from "./route-context.ts";
import { serveTurnRequest, type AnswerAbout } from "./serve-turn-request.ts";

/** `POST /v1/chat/completions`: one turn of a conversation, streamed or not. */
export const postChatCompletions: Route = async (exchange, caller, parts) => {
  const { request, response } = exchange;
  const { bodyBytes, heartbeatMs, clientBufferBytes } = parts.configuration.limits;
  const { value, bytes: body } = await readJson(request, bodyBytes);
  const { turnRequest, isStreamed, includeUsage } = readChatRequest(value);
  const makeOutput = (about: AnswerAbout) =>
    isStreamed
      ? new StreamOutput(response, {
          ...about,
          includeUsage,
          heartbeatMs,
          maxBufferedBytes: clientBufferBytes,
        })
      : new CompletionOutput(response, about);
  await serveTurnRequest(turnRequest, { body, makeOutput }, exchange, caller, parts);
};
