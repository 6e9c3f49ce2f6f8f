import type { RequestIdentity, Submit } from "@synthesis/protocol";
import { seededPrompt, type Conversation } from "../identity/conversation.ts";
import type { ChosenAgent } from "../identity/choose-agent.ts";
import type { TurnSession } from "../identity/find-session.ts";

export interface OrderParts {
  readonly turn: string;
  readonly agent: ChosenAgent;
  readonly session: TurnSession;
  readonly conversation: Conversation;
  readonly request: RequestIdentity;
}

/** What is sent to a worker for a turn, and what for an agent that does not remember the earlier messages. */
export function makeOrders(parts: OrderParts): { readonly order: Submit; readonly seeded: Submit } {
  const { turn, agent, session, conversation, request } = parts;
  const { id, key, scope, rule, expectHead, isNew, reset } = session;
  const hasHistory = conversation.earlier.some(({ role }) => role === "assistant");
  const isByTranscript = rule === "transcript" || rule === "new";
  const order: Submit = {
    type: "submit",
    turn,
    request,
    session: { id, key, agent: agent.name, scope },
    ...(agent.model === undefined ? {} : { model: agent.model }),
    prompt: conversation.prompt,
    needsMemory: hasHistory,
    ...(isByTranscript ? { transcript: conversation.hashAfter } : {}),
    ...(expectHead === undefined ? {} : { expectHead }),
  };
  const seeded: Submit = hasHistory
    ? { ...order, prompt: seededPrompt(conversation), needsMemory: false }
    : order;
  return { order: isNew || reset !== undefined ? seeded : order, seeded };
}
