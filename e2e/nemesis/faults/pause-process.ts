import { sleep } from "@synthesis/kit";
import { limits } from "../instance/configuration.ts";
import { isAlive, livesBelow, type RoleHolder } from "../instance/process-tree.ts";
import { sendSignal } from "./send-signal.ts";
import { survivorsAfter } from "./survivors-after.ts";

const POLL_MS = 20;

/**
 * SIGSTOPs a process for a while. One that is watched must have been found out by `limits.hangMs` and half of
 * it again, and what was below it must then die with it; an agent may be left alone as long as it has no turn.
 */
export async function pauseProcess(
  target: RoleHolder,
  forMs: number,
  orphanMs: number,
): Promise<{ readonly overAt: number; readonly remains: readonly string[] }> {
  const wards = livesBelow(target.pid);
  sendSignal(target, "SIGSTOP");
  const deadline = Date.now() + forMs;
  while (isAlive(target) && Date.now() < deadline) await sleep(POLL_MS);
  const remains: string[] = [];
  if (!isAlive(target)) remains.push(...(await survivorsAfter(wards, orphanMs)));
  else if (target.role !== "agent" && forMs > 2 * limits.hangMs) {
    remains.push(`${target.command} (pid ${target.pid}) was stopped for ${forMs} ms and not found out`);
  }
  sendSignal(target, "SIGCONT");
  return { overAt: Date.now(), remains };
}
