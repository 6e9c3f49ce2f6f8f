import { livesBelow, type ProcessLife, type RoleHolder } from "../instance/process-tree.ts";
import { sendSignal } from "./send-signal.ts";
import { survivorsAfter } from "./survivors-after.ts";

/** SIGKILLs a process and sees what becomes of everything that was below it: that has to die with it. */
export async function killProcess(
  target: RoleHolder,
  orphanMs: number,
): Promise<{ readonly overAt: number; readonly remains: readonly string[] }> {
  const wards: readonly ProcessLife[] = [target, ...livesBelow(target.pid)];
  sendSignal(target, "SIGKILL");
  const remains = await survivorsAfter(wards, orphanMs);
  return { overAt: Date.now(), remains };
}
