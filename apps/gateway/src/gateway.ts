import { createLogger, runSupervised } from "@synthesis/kit";
import { WireFailure } from "@synthesis/protocol";
import { GatewayConfiguration } from "./gateway-configuration.ts";
import { ApiServer } from "./http/api-server.ts";
import { SessionQueues } from "./turn/session-queues.ts";
import { SupervisorClient } from "./worker/supervisor-client.ts";
import { WorkerPool } from "./worker/worker-pool.ts";

/** The gateway process: the HTTP edge, until the supervisor ends it. */
export async function runGateway(): Promise<void> {
  await runSupervised(GatewayConfiguration, async (configuration) => {
    process.title = "synthesis-gateway";
    const { limits, controlSocket, logLevel } = configuration;
    const log = createLogger(logLevel, { process: "gateway" });
    const supervisor = new SupervisorClient(controlSocket, limits.startMs);
    const workers = new WorkerPool(supervisor, limits.startMs, log);
    const closing = new AbortController();
    const queues = new SessionQueues(limits);
    const server = new ApiServer({
      configuration,
      supervisor,
      workers,
      queues,
      closing: closing.signal,
      log,
    });
    return {
      endpoint: await server.start(),
      close: async () => {
        closing.abort(
          new WireFailure("shutting_down", "Synthesis is being stopped", { retryAfterMs: 5_000 }),
        );
        await server.close();
        await workers.close();
        await supervisor.close();
      },
    };
  });
}
