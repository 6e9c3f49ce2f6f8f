import type { IncomingHttpHeaders } from "node:http";
import { WireFailure } from "@synthesis/protocol";
import { header } from "../identity/session-identity.ts";
import { busyPolicies, type BusyPolicy } from "../turn/enter-session.ts";

/** What a request wants where its session is at work: its header `x-synthesis-busy`. Throws `invalid_request`. */
export function busyPolicy(headers: IncomingHttpHeaders): BusyPolicy {
  const asked = header(headers, "x-synthesis-busy") ?? "queue";
  const policy = busyPolicies.find((name) => name === asked);
  if (policy === undefined)
    throw new WireFailure("invalid_request", `x-synthesis-busy: must be one of ${busyPolicies.join(", ")}`);
  if (policy === "steer" && headers["idempotency-key"] !== undefined) {
    throw new WireFailure(
      "invalid_request",
      "x-synthesis-busy: a message that steers is part of another turn, and none is found by its Idempotency-Key later: leave out one of the two",
    );
  }
  return policy;
}
