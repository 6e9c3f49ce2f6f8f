import type { IncomingHttpHeaders } from "node:http";
import type { RequestIdentity, Said } from "@synthesis/protocol";
import type { TurnRequest } from "../turn-request/turn-request.ts";
import { readConversation, type Conversation } from "../turn-request/conversation.ts";
import { fitToCommand, withoutIdleTools, withoutInstructions } from "../turn-request/fit-to-agent.ts";
import type { Caller } from "../http/edge-guard.ts";
import { chooseAgent, type ChosenAgent } from "../identity/choose-agent.ts";
import { historyPolicy } from "../identity/history-policy.ts";
import { readOpenclaw } from "../identity/openclaw-request.ts";
import { openclawWords } from "../identity/openclaw-words.ts";
import { requestIdentity, type RequestParts } from "../identity/request-identity.ts";
import { header, identify, type IdentityClues } from "../identity/session-identity.ts";
import type { BusyPolicy } from "../turn/enter-session.ts";
import type { WorkerLink } from "../worker/worker-link.ts";
import { saidByUser } from "../asks/said-by-user.ts";
import { BUSY_HEADER, busyPolicy } from "./busy-policy.ts";
import { filesUrl } from "./files-url.ts";
import type { GatewayParts } from "../gateway-parts.ts";

/** What a client asks, as far as the gateway understands it alone. */
export interface IncomingTurn extends RequestParts {
  /** As its agent is asked it. */
  readonly turnRequest: TurnRequest;
  readonly agent: ChosenAgent;
  readonly isHeadless: boolean;
  readonly request: RequestIdentity;
  /** What its user wrote; undefined: nothing that can be a verdict on an ask. */
  readonly said: Said | undefined;
  /** When the request was read, epoch ms. */
  readonly receivedAt: number;
  readonly busy: BusyPolicy;
  /** Where its client finds files that the agent attaches. */
  readonly filesUrl: string | undefined;
  readonly connect: (drained?: WorkerLink) => Promise<WorkerLink>;
}

/** Reads a request with the headers it came with. Throws a `WireFailure`. */
export function readIncoming(
  asked: TurnRequest,
  body: Uint8Array,
  headers: IncomingHttpHeaders,
  caller: Caller,
  { configuration, workers }: GatewayParts,
): IncomingTurn {
  const agent = chooseAgent(configuration, asked.model, header(headers, "x-openclaw-agent-id"));
  const history = historyPolicy(headers);
  const openclaw = caller.client === "openclaw" ? readOpenclaw(asked) : undefined;
  const own = withoutIdleTools(openclaw?.turnRequest ?? asked);
  const { driver, instructions } = configuration.agents[agent.name] ?? {};
  const isHeadless = driver === "headless";
  const kept = instructions === "ignore" ? withoutInstructions(own) : own;
  const convention = { session: openclaw?.session, isSideRequest: openclaw?.isSideRequest ?? false };
  const clues: IdentityClues = { headers, turnRequest: own, caller, agent, history, convention };
  const identity = identify(clues);
  const words = openclaw === undefined ? undefined : openclawWords;
  const conversation: Conversation = readConversation(own.messages, { words, isPart: isPart(clues) });
  const parts: RequestParts = { clues, identity, conversation, words };
  const turnRequest = isHeadless ? kept : fitToCommand(kept);
  const busy = busyPolicy(headers, own);
  // Without a key no session at work is entered: the conversation goes on in one of its own.
  const isIdle = busy !== "queue" && !("key" in identity);
  return {
    ...parts,
    turnRequest: isIdle ? { ...turnRequest, ignored: [...turnRequest.ignored, BUSY_HEADER] } : turnRequest,
    agent,
    isHeadless,
    request: requestIdentity(parts, body),
    said: saidByUser(parts),
    receivedAt: Date.now(),
    busy,
    filesUrl: filesUrl(headers, configuration.server.publicUrl),
    connect: async (drained) =>
      workers.link(header(headers, "x-openclaw-workspace") ?? agent.workspace, drained),
  };
}

/** Whether the session may know calls that the messages do not show. */
function isPart({ turnRequest: { names }, history }: IdentityClues): boolean {
  return history === "append" || names.previousTurn !== undefined || names.conversation !== undefined;
}
