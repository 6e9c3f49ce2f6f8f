import { createLogger, runSupervised, sleep, type Logger } from "@synthesis/kit";
import { WireFailure, type Endpoint } from "@synthesis/protocol";
import { GatewayConfiguration } from "./gateway-configuration.ts";
import { ApiServer } from "./http/api-server.ts";
import { LiveTurns } from "./turn/live-turns.ts";
import { SessionQueues } from "./turn/session-queues.ts";
import { AccountHolds } from "./worker/account-holds.ts";
import { SupervisorClient } from "./worker/supervisor-client.ts";
import { WorkerPool } from "./worker/worker-pool.ts";

/** The gateway process: serves until the supervisor ends it. */
export async function runGateway(): Promise<void> {
  await runSupervised(GatewayConfiguration, async (configuration) => {
    process.title = "synthesis-gateway";
    const gateway = new Gateway(configuration, createLogger(configuration.logLevel, { process: "gateway" }));
    return {
      endpoint: await gateway.start(),
      drain: async (deadlineMs) => gateway.drain(deadlineMs),
      close: async () => gateway.close(),
    };
  });
}

/** The HTTP edge with everything behind it, up to the workers. */
export class Gateway {
  readonly queues: SessionQueues;
  readonly turns = new LiveTurns();
  readonly #supervisor: SupervisorClient;
  readonly #workers: WorkerPool;
  readonly #server: ApiServer;
  readonly #closing = new AbortController();

  constructor(configuration: GatewayConfiguration, log: Logger) {
    const { limits, controlSocket, generation: gateway, fence } = configuration;
    const supervisor = new SupervisorClient(controlSocket, limits.startMs);
    const holds = new AccountHolds();
    const workers = new WorkerPool({ supervisor, limits, gateway: { gateway, fence }, holds, log });
    const queues = new SessionQueues(limits);
    const closing = this.#closing.signal;
    this.queues = queues;
    this.#supervisor = supervisor;
    this.#workers = workers;
    const { turns } = this;
    this.#server = new ApiServer({
      configuration,
      supervisor,
      workers,
      queues,
      turns,
      holds,
      closing,
      log,
    });
  }

  /** Listens; where. Rejects with an `UnusableError` where the address cannot be had. */
  async start(): Promise<Endpoint> {
    return this.#server.start();
  }

  /** Takes no connection any more; resolves when every turn that has a client here is over, or after `deadlineMs`. */
  async drain(deadlineMs: number): Promise<void> {
    this.#server.stopListening();
    const over = new AbortController();
    await Promise.race([this.turns.whenNone(), sleep(deadlineMs, over.signal)]);
    over.abort();
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
