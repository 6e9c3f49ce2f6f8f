import type { Logger } from "@synthesis/kit";
import type { GatewayConfiguration } from "./gateway-configuration.ts";
import type { LiveTurns } from "./turn/live-turns.ts";
import type { SessionQueues } from "./turn/session-queues.ts";
import type { AccountHolds } from "./worker/account-holds.ts";
import type { SupervisorClient } from "./worker/supervisor-client.ts";
import type { WorkerPool } from "./worker/worker-pool.ts";

/** The parts of a gateway, which all requests share. */
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
