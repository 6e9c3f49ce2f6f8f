import { readVerdict, type Said } from "@synthesis/protocol";
import type { GatewayParts } from "../gateway-parts.ts";
import type { VerdictRequest } from "./verdict-request.ts";

/**
 * What the user says, where it may be a verdict on what the running turn of a session asks. Of a session without a turn
 * here, only what is one by its words: that its turn was begun by an earlier gateway is rare, and to ask the worker
 * costs time.
 */
export function possibleVerdict(
  incoming: VerdictRequest,
  place: string,
  { configuration, turns }: GatewayParts,
): Said | undefined {
  const asks = configuration.agents[incoming.agent.name]?.asks;
  if (asks?.mode !== "hold" || !asks.by.includes("chat") || !("key" in incoming.identity)) return undefined;
  const { said } = incoming;
  if (said === undefined) return undefined;
  const running = turns.running(place);
  const isPossible = running === undefined ? readVerdict(said.words) !== undefined : running.mayBeAsking;
  return isPossible ? said : undefined;
}
