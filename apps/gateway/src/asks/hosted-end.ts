import type { AgentSettings } from "@synthesis/config";
import type { HostedEnd } from "../turn/turn-way.ts";
import type { TurnRequest } from "../turn-request/turn-request.ts";

/**
 * What the answer to a request ends with whose message a running turn takes up: the next question there, where its client
 * reads it whole, and so could not answer. An answer that is to meet a schema shows no question.
 */
export function hostedEnd(
  { isStreamed, answerSchema }: Pick<TurnRequest, "isStreamed" | "answerSchema">,
  asks: Pick<AgentSettings["asks"], "by"> | undefined,
): HostedEnd {
  const shows = answerSchema === undefined && asks?.by.includes("chat") === true;
  return !isStreamed && shows ? "question" : "turn";
}
