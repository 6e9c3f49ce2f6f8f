import { createLogger, runSupervised, sleep } from "@synthesis/kit";
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
    const workspace: Workspace = new Workspace({
      configuration,
      log,
      onChange: () => (reporting ??= setImmediate(report)),
      onAccountHeld: (until) => server.accountHeld(until),
      // The next worker moves the journal aside; what runs may end before.
      onJournalDamage: () => process.kill(process.pid, "SIGTERM"),
    });
    const server: GatewayServer = new GatewayServer(configuration, workspace, log);
    await workspace.start();
    await server.start();
    report();
    return {
      drainMs: configuration.limits.drainMs,
      evict: () => workspace.evictOldest(),
      onPing: () => {
        if (workspace.isClosed) return;
        workspace.lookAfter();
        report();
      },
      drain: async (deadlineMs) => {
        const over = new AbortController();
        const late = sleep(deadlineMs, over.signal);
        await Promise.race([workspace.drain(), late]);
        over.abort();
      },
      close: async (reason) => {
        await workspace.close(reason);
        clearImmediate(reporting);
        await server.close();
      },
    };
  });
}
