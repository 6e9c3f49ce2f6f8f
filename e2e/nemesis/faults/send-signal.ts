import { isAlive, type ProcessLife } from "../instance/process-tree.ts";

/** Signals this life of a process; nothing happens where it is over. */
export function sendSignal(life: ProcessLife, signal: NodeJS.Signals): void {
  if (!isAlive(life)) return;
  try {
    process.kill(life.pid, signal);
  } catch {
    // gone meanwhile
  }
}
