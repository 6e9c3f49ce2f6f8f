import { locate } from "@synthesis/config";
import type { StatusAnswer } from "@synthesis/protocol";
import { ControlClient } from "../control-client.ts";
import type { LocationOptions } from "./command-options.ts";

/** `synthesis status`: gateway and workers of the running instance. Rejects where none runs. */
export async function status(options: LocationOptions): Promise<void> {
  const { gateway, workers } = await new ControlClient(locate(options)).status();
  if (gateway !== undefined) console.log(gatewayLine(gateway));
  for (const worker of workers) console.log(workerLine(worker));
  if (workers.length === 0) console.log("No workspace has been asked for yet.");
}

/** One line for a person. */
export function gatewayLine(gateway: NonNullable<StatusAnswer["gateway"]>): string {
  const { drainingPid, endpoint } = gateway;
  const draining = drainingPid === undefined ? [] : [`pid ${drainingPid} is finishing its answers`];
  return `gateway: ${[...processParts(gateway), endpoint?.url ?? "not serving yet", ...draining].join(", ")}`;
}

/** One line for a person. */
export function workerLine(worker: StatusAnswer["workers"][number]): string {
  const { workspace, status: now } = worker;
  const detail = now
    ? `${now.processes} processes, ${now.turns} turns, ${now.sessions} sessions`
    : "no report yet";
  return `${workspace}: ${[...processParts(worker), detail].join(", ")}`;
}

function processParts(
  report: Pick<StatusAnswer["workers"][number], "state" | "pid" | "restarts" | "nextAttemptMs">,
): string[] {
  const { state, pid, restarts, nextAttemptMs } = report;
  const next = nextAttemptMs === undefined ? [] : [`next attempt in ${Math.ceil(nextAttemptMs / 1000)} s`];
  return [state, `pid ${pid ?? "none"}`, `${restarts} restarts`, ...next];
}
