import { setTimeout as pause } from "node:timers/promises";
import type { LiveProcess } from "@synthesis/testkit";
import type { Random } from "../nemesis/random.ts";
import type { Synthesis } from "../support/synthesis.ts";

const WORKER = "synthesis-worker alpha";
const GATEWAY = "synthesis-gateway";
/** Least time between two kills of the gateway: else its restart budget is all that is tested. */
const GATEWAY_GAP_MS = 2_500;

/** SIGKILLs the worker, the gateway and agents, a few in a second, till `until`; resolves with how many it killed. */
export async function killAtRandom(
  synthesis: Synthesis,
  random: Random,
  until: AbortSignal,
): Promise<number> {
  let count = 0;
  let gatewayAt = -Infinity;
  for (;;) {
    await pause(random.between(100, 1_100));
    if (until.aborted) return count;
    let role = random.weighted({ agent: 4, worker: 2, gateway: 2 });
    if (role === "gateway" && performance.now() - gatewayAt < GATEWAY_GAP_MS) role = "agent";
    if (role === "gateway") gatewayAt = performance.now();
    const candidates = holders(synthesis.processes, role);
    if (candidates.length > 0 && kill(random.pick(candidates))) count++;
  }
}

function holders(
  processes: readonly LiveProcess[],
  role: "agent" | "worker" | "gateway",
): readonly LiveProcess[] {
  const worker = processes.filter(({ command }) => command === WORKER);
  if (role === "gateway") return processes.filter(({ command }) => command === GATEWAY);
  return role === "worker"
    ? worker
    : processes.filter(({ parent }) => worker.some(({ pid }) => pid === parent));
}

function kill({ pid }: LiveProcess): boolean {
  try {
    return process.kill(pid, "SIGKILL");
  } catch {
    return false; // gone meanwhile
  }
}
