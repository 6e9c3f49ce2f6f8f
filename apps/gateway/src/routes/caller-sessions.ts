import { SessionClient } from "@synthesis/kit";
import type { Caller } from "../http/edge-guard.ts";
import { callerHash } from "../identity/request-identity.ts";
import type { GatewayParts } from "./route-context.ts";

/** The sessions of the caller's API key in one workspace. */
export interface CallerSessions {
  readonly workspace: string;
  readonly client: SessionClient;
}

/** Where to ask about the caller's sessions in a workspace. Rejects with a `WireFailure`. */
export async function callerSessions(
  asked: string,
  { name }: Caller,
  { workers }: GatewayParts,
): Promise<CallerSessions> {
  const { workspace, socketPath } = await workers.link(asked);
  return { workspace, client: new SessionClient({ socketPath, caller: callerHash(name) }) };
}
