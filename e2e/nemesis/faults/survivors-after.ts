import { sleep } from "@synthesis/kit";
import { isAlive, type ProcessLife } from "../instance/process-tree.ts";

const POLL_MS = 20;

/** Waits till all of these are dead, at most `graceMs`; names those that are not. */
export async function survivorsAfter(
  lives: readonly ProcessLife[],
  graceMs: number,
): Promise<readonly string[]> {
  const deadline = Date.now() + graceMs;
  for (;;) {
    const alive = lives.filter((life) => isAlive(life));
    if (alive.length === 0) return [];
    if (Date.now() >= deadline) {
      return alive.map(({ pid, command }) => `pid ${pid} (${command.slice(0, 80)}) lives on`);
    }
    await sleep(POLL_MS);
  }
}
