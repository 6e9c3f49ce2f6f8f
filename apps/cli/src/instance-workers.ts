import { QueriedWorkers, SessionClient, type WorkerFailure } from "@synthesis/kit";
import { WireFailure } from "@synthesis/protocol";
import type { ControlClient } from "./control-client.ts";

/** A worker of a running instance. */
export interface InstanceWorker {
  readonly workspace: string;
  readonly client: SessionClient;
}

/** Who did not answer, and why. */
export interface SilentWorker {
  readonly workspace: string;
  readonly message: string;
}

/**
 * The workers of a running instance: that of one workspace, or each that there is now. `workspace` is asked for by name
 * or path, and gets a worker where it has none.
 */
export function instanceWorkers(
  control: ControlClient,
  workspace: string | undefined,
): QueriedWorkers<InstanceWorker> {
  return new QueriedWorkers({
    named: workspace,
    running: async () => (await control.status()).workers,
    connect: async (asked) => {
      const { workspace: name, socketPath } = await control.ensure(asked);
      return { workspace: name, client: new SessionClient({ socketPath }) };
    },
  });
}

/** Those that failed, in words. */
export function silentWorkers(failures: readonly WorkerFailure[]): readonly SilentWorker[] {
  return failures.map(({ workspace, error }) => ({
    workspace,
    message: error instanceof Error ? error.message : String(error),
  }));
}

/** Throws where one that did not answer may have what none has that did. */
export function checkSilent(failures: readonly WorkerFailure[]): void {
  const [silent] = silentWorkers(failures);
  if (silent !== undefined)
    throw new WireFailure("worker_unavailable", `${silent.workspace}: ${silent.message}`);
}
