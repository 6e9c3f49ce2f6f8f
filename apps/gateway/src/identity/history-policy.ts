import type { IncomingHttpHeaders } from "node:http";
import { WireFailure } from "@synthesis/protocol";
import { header } from "./session-identity.ts";

/**
 * What a request's messages are. append: what is new after the last answer, to be added to what the session has. full:
 * the whole conversation. stateless: a question beside all conversations. auto: as its client is known to mean it.
 */
export type HistoryPolicy = "append" | "full" | "stateless" | "auto";

const asked: readonly HistoryPolicy[] = ["append", "full", "stateless"];

/** What the header `x-synthesis-history` says. Throws `invalid_request`. */
export function historyPolicy(headers: IncomingHttpHeaders): HistoryPolicy {
  const value = header(headers, "x-synthesis-history");
  if (value === undefined) return "auto";
  const policy = asked.find((name) => name === value);
  if (policy !== undefined) return policy;
  throw new WireFailure("invalid_request", `x-synthesis-history: must be one of ${asked.join(", ")}`);
}
