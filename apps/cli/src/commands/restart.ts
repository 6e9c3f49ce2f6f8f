import { locate } from "@synthesis/config";
import { ControlClient } from "../control-client.ts";
import { withProgress } from "../progress.ts";
import type { DrainOptions } from "./command-options.ts";

/**
 * `synthesis restart [workspace]`: drains and replaces one worker; without a workspace the gateway and every
 * worker, all from the code on disk. Rejects for what could not be restarted.
 */
export async function restart(workspace: string | undefined, options: DrainOptions): Promise<void> {
  const client = new ControlClient(locate(options));
  await withProgress(client, async (signal) =>
    workspace === undefined
      ? restartAll(client, options.drain, signal)
      : restartWorker(client, workspace, options.drain, signal),
  );
}

async function restartAll(
  client: ControlClient,
  drainMs: number | undefined,
  signal: AbortSignal,
): Promise<void> {
  const { workers } = await client.status();
  const results = await Promise.allSettled([
    restartGateway(client, drainMs, signal),
    ...workers.map(async ({ workspace }) => restartWorker(client, workspace, drainMs, signal)),
  ]);
  const failed = results.filter((result) => result.status === "rejected");
  for (const { reason } of failed.slice(1)) process.stderr.write(`${messageOf(reason)}\n`);
  if (failed[0] !== undefined) throw failed[0].reason;
}

async function restartGateway(
  client: ControlClient,
  drainMs: number | undefined,
  signal: AbortSignal,
): Promise<void> {
  await client.restartGateway(drainMs, signal);
  console.log("gateway: restarted");
}

async function restartWorker(
  client: ControlClient,
  asked: string,
  drainMs: number | undefined,
  signal: AbortSignal,
): Promise<void> {
  const { workspace, epoch } = await client.restartWorkspace(asked, drainMs, signal);
  const none = "nothing to restart: it has no worker now, the next request starts one";
  console.log(`${workspace}: ${epoch === undefined ? none : "restarted"}`);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
