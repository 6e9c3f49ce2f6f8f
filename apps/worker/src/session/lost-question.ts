import { monotonicMs } from "@synthesis/kit";
import type { AgentAsk, AskSettlement, Said } from "@synthesis/protocol";
import { bareVerdict } from "../asks/said-verdict.ts";
import type { Journal } from "../journal/journal.ts";
import type { Turn } from "../turn/turn.ts";

/**
 * The question that a session's transcript ends with, though nothing that could take a verdict is left of its run, where
 * a turn that goes on from there is nothing but a verdict on it: said to the agent it might be taken for leave to do
 * something else.
 */
export function lostQuestion(
  { order }: Turn,
  { points, turns, events }: Pick<Journal, "points" | "turns" | "events">,
): AgentAsk | undefined {
  if (order.said === undefined || bareVerdict(order.said) === undefined) return undefined;
  const head = points.turnBefore(order.session.id, order.turn);
  const record = head === undefined ? undefined : turns.get(head);
  if (record === undefined || record.caller !== order.request.caller) return undefined;
  const last = events.lastOfAgent(record.turn);
  return last?.kind === "asked" && isAfter(order.said, last.ask) ? last.ask : undefined;
}

/** What came before it was said to something else. That is another generation's time, which only the time of day tells. */
function isAfter({ receivedMs }: Said, { toldAt, askedAt }: AgentAsk): boolean {
  const receivedAt = Date.now() - (monotonicMs() - receivedMs);
  return receivedAt > (toldAt ?? askedAt);
}

/** What is answered to it, with how it was settled where that is known: whether its tool was used is not. */
export function lostText({ agent }: AgentAsk, settlement: AskSettlement | undefined): string {
  const how = settlement === undefined ? "" : ` (${settlement.behavior}, by ${settlement.by})`;
  return `That question is over${how}: ${agent} is not waiting for the answer any more. Say what it shall do now.`;
}
