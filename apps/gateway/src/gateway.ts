import {
  createLogger,
  runSupervised,
  sleep,
  type CloseReason,
  type ListeningHandle,
  type Logger,
} from "@synthesis/kit";
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
  await runSupervised(GatewayConfiguration, async (configuration, _send, inherited) => {
    process.title = "synthesis-gateway";
    const gateway = new Gateway(configuration, createLogger(configuration.logLevel, { process: "gateway" }));
    return {
      endpoint: await gateway.start(inherited),
      listening: gateway.listening,
      drainMs: configuration.limits.drainMs,
      drain: async (deadlineMs) => gateway.drain(deadlineMs),
      close: async (reason) => gateway.close(reason),
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
    const supervisor = new SupervisorClient(controlSocket, limits);
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

  /** The socket that it listens on, where it made that itself: for the gateways after it. */
  get listening(): ListeningHandle | undefined {
    return this.#server.listening;
  }

  /**
   * Listens, on the socket of the gateway before it where that is `inherited`; where. Rejects with an
   * `UnusableError` where the address cannot be had.
   */
  async start(inherited?: ListeningHandle): Promise<Endpoint> {
    return this.#server.start(inherited);
  }

  /** Takes no new connection; resolves when the open ones have ended, or after `deadlineMs`. */
  async drain(deadlineMs: number): Promise<void> {
    const over = new AbortController();
    await Promise.race([this.#server.drain(), sleep(deadlineMs, over.signal)]);
    over.abort();
  }

  /** Tells every client that waits for an answer, then hangs up; the turns go on in their workers. */
  async close({ message }: CloseReason): Promise<void> {
    const why = `the gateway closes: ${message}`;
    this.#closing.abort(new WireFailure("shutting_down", why, { retryAfterMs: 5_000 }));
    await this.#server.close();
    await this.#workers.close();
    await this.#supervisor.close();
  }
}
