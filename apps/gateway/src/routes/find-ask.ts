import type { AgentAsk } from "@synthesis/protocol";
import type { GatewayParts } from "../gateway-parts.ts";
import type { Caller } from "../http/edge-guard.ts";
import { callerSessions, type CallerSessions } from "./caller-sessions.ts";
import { notFound } from "./queried-workers.ts";
import type { Exchange } from "./route-context.ts";

/** An open ask of the caller's API key, and where it is. */
export interface FoundAsk extends CallerSessions {
  readonly ask: AgentAsk;
}

/**
 * Finds the ask that a path names. Rejects with `ask_not_found`, with `ask_settled` where it has its verdict, and with
 * why it may have been overlooked.
 */
export async function findAsk(
  { request, params }: Exchange,
  caller: Caller,
  parts: GatewayParts,
): Promise<FoundAsk> {
  const id = params["id"] ?? "";
  const workers = callerSessions(request, caller, parts);
  const found = await workers.findFirst("ask_not_found", async (sessions): Promise<FoundAsk> => ({
    ...sessions,
    ask: await sessions.client.getAsk(id),
  }));
  const [ask] = found.answers;
  if (ask === undefined) throw notFound("ask", found);
  return ask;
}
