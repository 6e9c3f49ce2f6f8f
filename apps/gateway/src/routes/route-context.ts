import type { IncomingMessage, ServerResponse } from "node:http";
import type { Logger } from "@synthesis/kit";
import type { GatewayConfiguration } from "../gateway-configuration.ts";
import type { Caller } from "../http/edge-guard.ts";
import type { LiveTurns } from "../turn/live-turns.ts";
import type { SessionQueues } from "../turn/session-queues.ts";
import type { AccountHolds } from "../worker/account-holds.ts";
import type { SupervisorClient } from "../worker/supervisor-client.ts";
import type { WorkerPool } from "../worker/worker-pool.ts";

/** What the routes share. */
export interface GatewayParts {
  readonly configuration: GatewayConfiguration;
  readonly supervisor: SupervisorClient;
  readonly workers: WorkerPool;
  readonly queues: SessionQueues;
  readonly turns: LiveTurns;
  readonly holds: AccountHolds;
  /** Aborts with a `WireFailure` when the gateway closes. */
  readonly closing: AbortSignal;
  readonly log: Logger;
}

/** One request on its way through a route. */
export interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** What stands for the named segments of the route's path. */
  readonly params: Readonly<Record<string, string>>;
}

/** A route that demands a key. Rejects with a `WireFailure` as long as it has not answered. */
export type Route = (exchange: Exchange, caller: Caller, parts: GatewayParts) => Promise<void>;
