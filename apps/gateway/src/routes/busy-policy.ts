import type { IncomingHttpHeaders } from "node:http";
import { WireFailure } from "@synthesis/protocol";
import type { TurnRequest } from "../turn-request/turn-request.ts";
import { isBinding } from "../turn-request/required-call.ts";
import { header } from "../identity/session-identity.ts";
import { busyPolicies, type BusyPolicy } from "../turn/enter-session.ts";

export const BUSY_HEADER = "x-synthesis-busy";

/**
 * What a request wants where its session is at work: its header `x-synthesis-busy`. One whose answer must have a form, or
 * a call, waits instead of steering: a turn that runs cannot be bound to it. Throws `invalid_request`.
 */
export function busyPolicy(
  headers: IncomingHttpHeaders,
  { answerSchema, toolChoice }: Pick<TurnRequest, "answerSchema" | "toolChoice">,
): BusyPolicy {
  const asked = header(headers, BUSY_HEADER) ?? "queue";
  const policy = busyPolicies.find((name) => name === asked);
  if (policy === undefined)
    throw new WireFailure("invalid_request", `${BUSY_HEADER}: must be one of ${busyPolicies.join(", ")}`);
  if (policy === "steer" && headers["idempotency-key"] !== undefined) {
    throw new WireFailure(
      "invalid_request",
      "x-synthesis-busy: a message that steers is part of another turn, and none is found by its Idempotency-Key later: leave out one of the two",
    );
  }
  const isBound = answerSchema !== undefined || isBinding(toolChoice);
  return policy === "steer" && isBound ? "queue" : policy;
}

/** Names of what a running turn cannot be told: it has no effect where the message steers. */
export function unsteered({
  instructions,
  tools,
  effort,
}: Pick<TurnRequest, "instructions" | "tools" | "effort">): string[] {
  return [
    ...(instructions === undefined ? [] : ["instructions"]),
    ...(tools.length === 0 ? [] : ["tools"]),
    ...(effort === undefined ? [] : ["effort"]),
  ];
}
