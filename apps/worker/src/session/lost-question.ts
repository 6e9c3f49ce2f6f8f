import type { AgentAsk } from "@synthesis/protocol";
import type { Journal } from "../journal/journal.ts";
import type { Turn } from "../turn/turn.ts";
import { bareVerdict, saidSince } from "./said-since.ts";

/**
 * The question that a session's transcript ends with, though nothing that could take a verdict is left of its run, where
 * a turn that goes on from there is nothing but a verdict on it: said to the agent it might be taken for leave to do
 * something else.
 */
export function lostQuestion(
  { order }: Turn,
  { points, turns, events }: Pick<Journal, "points" | "turns" | "events">,
): AgentAsk | undefined {
  const head = points.headTurn(order.session.id);
  const record = head === undefined ? undefined : turns.get(head);
  if (record?.state !== "completed" || record.caller !== order.request.caller) return undefined;
  const [last] = events.after(record.turn, record.seq - 2); // its end has the last number
  if (last?.kind !== "asked") return undefined;
  const { ask } = last;
  const words = saidSince(order, ask.toldAt ?? ask.askedAt);
  return bareVerdict(words) === undefined ? undefined : ask;
}

/** What is answered to it. */
export function lostText({ agent, kind, tool }: AgentAsk): string {
  const unused = kind === "permission" ? `, and ${tool} was not used` : "";
  return `That question is over${unused}: ${agent} is not waiting for the answer any more. Say what it shall do now.`;
}
