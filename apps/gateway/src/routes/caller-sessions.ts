import type { IncomingMessage } from "node:http";
import { SessionClient, type QueriedWorkers } from "@synthesis/kit";
import type { GatewayParts } from "../gateway-parts.ts";
import type { Caller } from "../http/edge-guard.ts";
import { callerHash } from "../identity/request-identity.ts";
import { queriedWorkers } from "./queried-workers.ts";

/** The sessions of the caller's API key in one workspace. */
export interface CallerSessions {
  readonly workspace: string;
  readonly client: SessionClient;
}

/** Where the caller's sessions are, as far as a request asks for them. */
export function callerSessions(
  request: IncomingMessage,
  { name }: Caller,
  parts: GatewayParts,
): QueriedWorkers<CallerSessions> {
  return queriedWorkers(request, parts, async (asked) => {
    const { workspace, socketPath } = await parts.workers.link(asked);
    return { workspace, client: new SessionClient({ socketPath, caller: callerHash(name) }) };
  });
}
