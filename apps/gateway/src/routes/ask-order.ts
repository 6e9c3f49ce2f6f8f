import type { IncomingHttpHeaders } from "node:http";
import type { RequestIdentity } from "@synthesis/protocol";
import type { Ask } from "../ask/ask.ts";
import { readConversation, type Conversation } from "../ask/conversation.ts";
import { fitToCommand, withoutIdleTools, withoutInstructions } from "../ask/fit-to-agent.ts";
import type { Caller } from "../http/edge-guard.ts";
import { chooseAgent, type ChosenAgent } from "../identity/choose-agent.ts";
import { historyPolicy } from "../identity/history-policy.ts";
import { readOpenclaw } from "../identity/openclaw-request.ts";
import { openclawWords } from "../identity/openclaw-words.ts";
import { requestIdentity, type RequestParts } from "../identity/request-identity.ts";
import { header, identify, type IdentityClues } from "../identity/session-identity.ts";
import type { BusyPolicy } from "../turn/enter-session.ts";
import type { WorkerLink } from "../worker/worker-link.ts";
import { busyPolicy } from "./busy-policy.ts";
import type { GatewayParts } from "./route-context.ts";

/** What a client asks, as far as the gateway understands it alone. */
export interface AskOrder extends RequestParts {
  /** As its agent is asked it. */
  readonly ask: Ask;
  readonly agent: ChosenAgent;
  readonly isHeadless: boolean;
  readonly request: RequestIdentity;
  readonly busy: BusyPolicy;
  readonly connect: (drained?: WorkerLink) => Promise<WorkerLink>;
}

/** Reads an ask with the headers it came with. Throws a `WireFailure`. */
export function readOrder(
  asked: Ask,
  body: Uint8Array,
  headers: IncomingHttpHeaders,
  caller: Caller,
  { configuration, workers }: GatewayParts,
): AskOrder {
  const agent = chooseAgent(configuration, asked.model, header(headers, "x-openclaw-agent-id"));
  const history = historyPolicy(headers);
  const openclaw = caller.client === "openclaw" ? readOpenclaw(asked) : undefined;
  const said = withoutIdleTools(openclaw?.ask ?? asked);
  const { driver, instructions } = configuration.agents[agent.name] ?? {};
  const isHeadless = driver === "headless";
  const kept = instructions === "ignore" ? withoutInstructions(said) : said;
  const convention = { session: openclaw?.session, isSideRequest: openclaw?.isSideRequest ?? false };
  const clues: IdentityClues = { headers, ask: said, caller, agent, history, convention };
  const identity = identify(clues);
  const words = openclaw === undefined ? undefined : openclawWords;
  const conversation: Conversation = readConversation(said.messages, { words, isPart: isPart(clues) });
  const parts: RequestParts = { clues, identity, conversation, words, body };
  return {
    ...parts,
    ask: isHeadless ? kept : fitToCommand(kept),
    agent,
    isHeadless,
    request: requestIdentity(parts),
    busy: busyPolicy(headers),
    connect: async (drained) =>
      workers.link(header(headers, "x-openclaw-workspace") ?? agent.workspace, drained),
  };
}

/** Whether the session may know calls that the messages do not show. */
function isPart({ ask: { names }, history }: IdentityClues): boolean {
  return history === "append" || names.previousTurn !== undefined || names.conversation !== undefined;
}
