import type { IncomingHttpHeaders, ServerResponse } from "node:http";
import { WireFailure } from "@synthesis/protocol";
import { readJson } from "../http/read-json.ts";
import { chooseAgent } from "../identity/choose-agent.ts";
import { readConversation } from "../identity/conversation.ts";
import { chooseSession, locateSession } from "../identity/find-session.ts";
import { withoutDecoration } from "../identity/openclaw-decoration.ts";
import { header, identify } from "../identity/session-identity.ts";
import { ignoredFields, parseChatRequest, type ChatRequest } from "../openai/chat-request.ts";
import { CompletionOutput } from "../openai/completion-output.ts";
import { StreamOutput } from "../openai/stream-output.ts";
import type { AnswerOutput } from "../turn/answer-output.ts";
import { runChatTurn } from "../turn/chat-turn.ts";
import type { GatewayParts, Route } from "./route-context.ts";

/** `POST /v1/chat/completions`: one turn of a conversation, streamed or not. */
export const postChatCompletions: Route = async ({ request, response }, caller, parts) => {
  const { configuration, workers, queues, log } = parts;
  const { headers } = request;
  const left = leftSignal(response, headers);
  const body = parseChatRequest(await readJson(request, configuration.limits.bodyBytes));
  const agent = chooseAgent(configuration, body.model ?? undefined, header(headers, "x-openclaw-agent-id"));
  const conversation = readConversation(
    caller.client === "openclaw" ? withoutDecoration(body.messages) : body.messages,
  );
  const clues = { headers, body, caller, agent };
  const identity = identify(clues);
  const connect = async () => workers.link(header(headers, "x-openclaw-workspace") ?? agent.workspace);
  const link = await connect();
  const located = await locateSession(identity, clues, conversation, link);
  const session = chooseSession(identity, clues, conversation, located, (id) =>
    queues.isBusy(`${link.workspace}/${id}`),
  );
  const output = makeOutput(response, body, agent.name, parts);
  await runChatTurn({
    agent,
    session,
    conversation,
    link,
    connect,
    queues,
    queueMs: configuration.limits.queueMs,
    output,
    left,
    closing: parts.closing,
    log,
  });
};

/** Aborts when the client leaves, unless it said that it wants its turn to go on. */
function leftSignal(response: ServerResponse, headers: IncomingHttpHeaders): AbortSignal {
  const policy =
    header(headers, "x-synthesis-on-disconnect") ??
    (headers["idempotency-key"] === undefined ? "cancel" : "continue");
  if (policy !== "cancel" && policy !== "continue") {
    throw new WireFailure("invalid_request", "x-synthesis-on-disconnect: must be cancel or continue");
  }
  const left = new AbortController();
  // The response, not the request: a request is closed as soon as its body is read.
  response.once("close", () => {
    if (policy === "continue" || response.writableFinished) return;
    left.abort(new WireFailure("turn_cancelled", "the client left"));
  });
  return left.signal;
}

function makeOutput(
  response: ServerResponse,
  body: ChatRequest,
  agent: string,
  { configuration }: GatewayParts,
): AnswerOutput {
  const options = { model: body.model ?? agent, ignored: ignoredFields(body) };
  if (body.stream !== true) return new CompletionOutput(response, options);
  const { heartbeatMs, clientBufferBytes } = configuration.limits;
  const includeUsage = body.stream_options?.include_usage === true;
  return new StreamOutput(response, {
    ...options,
    includeUsage,
    heartbeatMs,
    maxBufferedBytes: clientBufferBytes,
  });
}
