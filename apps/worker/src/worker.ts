import { createLogger, runSupervised } from "@synthesis/kit";
import { GatewayServer } from "./gateway/gateway-server.ts";
import { WorkerConfiguration } from "./worker-configuration.ts";
import { Workspace } from "./workspace.ts";

/** The worker process: one workspace, served on its Unix socket until the supervisor ends it. */
export async function runWorker(): Promise<void> {
  await runSupervised(WorkerConfiguration, async (configuration, send) => {
    process.title = `synthesis-worker ${configuration.workspace}`;
    const log = createLogger(configuration.logLevel, {
      process: "worker",
      workspace: configuration.workspace,
    });
    let reporting: NodeJS.Immediate | undefined;
    const report = () => {
      reporting = undefined;
      send({ type: "status", status: workspace.status() });
    };
    const workspace = new Workspace(configuration, log, () => (reporting ??= setImmediate(report)));
    const server = new GatewayServer(configuration, workspace, log);
    await workspace.start();
    await server.start();
    report();
    return {
      evict: () => workspace.evictOldest(),
      onPing: () => {
        workspace.measure();
        report();
      },
      close: async (reason) => {
        await workspace.close(reason);
        clearImmediate(reporting);
        await server.close();
      },
    };
  });
}
