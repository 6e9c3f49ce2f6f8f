import type { IncomingMessage, ServerResponse } from "node:http";
import type { Logger } from "@synthesis/kit";
import type { GatewayConfiguration } from "../gateway-configuration.ts";
import type { Caller } from "../http/edge-guard.ts";
import type { SessionQueues } from "../turn/session-queues.ts";
import type { SupervisorClient } from "../worker/supervisor-client.ts";
import type { WorkerPool } from "../worker/worker-pool.ts";

/** What the routes share. */
export interface GatewayParts {
  readonly configuration: GatewayConfiguration;
  readonly supervisor: SupervisorClient;
  readonly workers: WorkerPool;
  readonly queues: SessionQueues;
  /** Aborts with a `WireFailure` when the gateway closes. */
  readonly closing: AbortSignal;
  readonly log: Logger;
}

/** One request on its way through a route. */
interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
}

/** A route that demands a key. Rejects with a `WireFailure` as long as it has not answered. */
export type Route = (exchange: Exchange, caller: Caller, parts: GatewayParts) => Promise<void>;
