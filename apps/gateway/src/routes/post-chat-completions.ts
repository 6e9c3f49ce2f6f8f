import { randomUUID } from "node:crypto";
import type { IncomingHttpHeaders, ServerResponse } from "node:http";
import { WireFailure, type RequestIdentity } from "@synthesis/protocol";
import { readJson } from "../http/read-json.ts";
import { chooseAgent } from "../identity/choose-agent.ts";
import { readConversation, type Conversation } from "../identity/conversation.ts";
import { chooseSession, locateSession } from "../identity/find-session.ts";
import { withoutDecoration } from "../identity/openclaw-decoration.ts";
import { announcesRetries, repetitionOf, requestIdentity } from "../identity/request-identity.ts";
import { header, identify, type IdentityClues, type SessionIdentity } from "../identity/session-identity.ts";
import { ignoredFields, parseChatRequest, type ChatRequest } from "../openai/chat-request.ts";
import { CompletionOutput } from "../openai/completion-output.ts";
import { StreamOutput } from "../openai/stream-output.ts";
import type { AnswerOutput } from "../turn/answer-output.ts";
import { findTurn } from "../turn/adopt-turn.ts";
import { LiveTurn } from "../turn/live-turn.ts";
import { makeOrders } from "../turn/make-orders.ts";
import type { VanishPolicy } from "../turn/turn-readers.ts";
import type { WorkerLink } from "../worker/worker-link.ts";
import { serveTurn } from "./serve-turn.ts";
import type { GatewayParts, Route } from "./route-context.ts";

/** A request as far as it was understood. */
interface ChatOrder {
  readonly clues: IdentityClues;
  readonly identity: SessionIdentity;
  readonly conversation: Conversation;
  readonly request: RequestIdentity;
  readonly connect: (drained?: WorkerLink) => Promise<WorkerLink>;
}

/** `POST /v1/chat/completions`: one turn of a conversation, streamed or not; of a request that comes again, the same turn. */
export const postChatCompletions: Route = async ({ request, response }, caller, parts) => {
  const { configuration, workers, turns } = parts;
  const { headers } = request;
  const onVanish = vanishPolicy(headers);
  const { value, text } = await readJson(request, configuration.limits.bodyBytes);
  const body = parseChatRequest(value);
  const agent = chooseAgent(configuration, body.model ?? undefined, header(headers, "x-openclaw-agent-id"));
  const conversation = readConversation(
    caller.client === "openclaw" ? withoutDecoration(body.messages) : body.messages,
  );
  const clues = { headers, body, caller, agent };
  const identity = identify(clues);
  const order: ChatOrder = {
    clues,
    identity,
    conversation,
    request: requestIdentity(clues, identity, text, conversation),
    connect: async (drained) =>
      workers.link(header(headers, "x-openclaw-workspace") ?? agent.workspace, drained),
  };
  const output = makeOutput(response, body, agent.name, parts);
  const repeats = repetitionOf(clues, order.request, identity, conversation);
  const serve = (turn: LiveTurn, isJoined: boolean) =>
    serveTurn(turn, output, response, { turns, onVanish, isJoined });
  if (repeats === undefined) return serve(await beginTurn(order, parts), false);
  await turns.oneByOne(JSON.stringify([order.request.caller, repeats]), async () => {
    const known = await findTurn(order.request, repeats, order.connect, parts);
    serve(known ?? (await beginTurn(order, parts)), known !== undefined);
  });
};

async function beginTurn(order: ChatOrder, parts: GatewayParts): Promise<LiveTurn> {
  const { clues, identity, conversation, request, connect } = order;
  const { configuration, queues, turns, holds, closing, log } = parts;
  const { agent } = clues;
  const { limits } = configuration;
  const isHeadless = configuration.agents[agent.name]?.driver === "headless";
  if (isHeadless) holds.check(limits.queueMs);
  const link = await connect();
  const located = await locateSession(identity, clues, conversation, link);
  const { workspace } = link;
  const queueOf = (session: string) => `${workspace}/${session}`;
  const session = chooseSession(identity, clues, conversation, located, (id) => queues.isBusy(queueOf(id)));
  const ticket = queues.enter(queueOf(session.id));
  const turn = randomUUID();
  const { id, rule, reset } = session;
  const live = new LiveTurn({
    facts: { turn, session: id, rule, position: ticket.position, ...(reset === undefined ? {} : { reset }) },
    workspace,
    request,
    retriesJoin: announcesRetries(clues, request),
    draft: {
      ...makeOrders({ turn, agent, session, conversation, request }),
      whenFirst: async (signal) => {
        await ticket.whenFirst(signal);
        if (isHeadless) await holds.whenFree(limits.queueMs, signal);
      },
      accepted: () => ticket.accepted(),
    },
    connect,
    limits,
    closing,
    log,
  });
  void live.over.then(() => ticket.leave());
  turns.begin(live);
  return live;
}

function vanishPolicy(headers: IncomingHttpHeaders): VanishPolicy {
  const policy =
    header(headers, "x-synthesis-on-disconnect") ??
    (header(headers, "idempotency-key") === undefined ? "cancel" : "continue");
  if (policy === "cancel" || policy === "continue") return policy;
  throw new WireFailure("invalid_request", "x-synthesis-on-disconnect: must be cancel or continue");
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
