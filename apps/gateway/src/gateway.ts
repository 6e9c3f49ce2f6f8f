import { createLogger, runSupervised, type Logger } from "@synthesis/kit";
import { WireFailure, type Endpoint } from "@synthesis/protocol";
import { GatewayConfiguration } from "./gateway-configuration.ts";
import { ApiServer } from "./http/api-server.ts";
import { SessionQueues } from "./turn/session-queues.ts";
import { SupervisorClient } from "./worker/supervisor-client.ts";
import { WorkerPool } from "./worker/worker-pool.ts";

/** The gateway process: serves until the supervisor ends it. */
export async function runGateway(): Promise<void> {
  await runSupervised(GatewayConfiguration, async (configuration) => {
    process.title = "synthesis-gateway";
    const gateway = new Gateway(configuration, createLogger(configuration.logLevel, { process: "gateway" }));
    return { endpoint: await gateway.start(), close: async () => gateway.close() };
  });
}

/** The HTTP edge with everything behind it, up to the workers. */
export class Gateway {
  readonly queues: SessionQueues;
  readonly #supervisor: SupervisorClient;
  readonly #workers: WorkerPool;
  readonly #server: ApiServer;
  readonly #closing = new AbortController();

  constructor(configuration: GatewayConfiguration, log: Logger) {
    const { limits, controlSocket } = configuration;
    const supervisor = new SupervisorClient(controlSocket, limits.startMs);
    const workers = new WorkerPool(supervisor, limits.startMs, log);
    const queues = new SessionQueues(limits);
    const closing = this.#closing.signal;
    this.queues = queues;
    this.#supervisor = supervisor;
    this.#workers = workers;
    this.#server = new ApiServer({ configuration, supervisor, workers, queues, closing, log });
  }

  /** Listens; where. Rejects with an `UnusableError` where the address cannot be had. */
  async start(): Promise<Endpoint> {
    return this.#server.start();
  }

  /** Tells every client that waits for an answer, then hangs up; the turns go on in their workers. */
  async close(): Promise<void> {
    const message = "Synthesis is being stopped";
    this.#closing.abort(new WireFailure("shutting_down", message, { retryAfterMs: 5_000 }));
    await this.#server.close();
    await this.#workers.close();
    await this.#supervisor.close();
  }
}
