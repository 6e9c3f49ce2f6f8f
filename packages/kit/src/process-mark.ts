import { readFileSync, readdirSync } from "node:fs";
import { SpareDescriptor } from "./spare-descriptor.ts";

/**
 * Every agent process is started with this variable, and whatever it starts inherits it: the only tie that
 * a Bash child of Claude keeps, which runs in a session and process group of its own and is re-parented
 * when Claude is killed (measured with Claude Code 2.1.330).
 */
export const MARK_VARIABLE = "SYNTHESIS_MARK";

const spare = new SpareDescriptor();

/**
 * The live processes of this user whose mark starts with `prefix`, also where this process has no descriptor
 * left. Linux only: elsewhere none are found. Never throws: it is called in the middle of ends.
 */
export function pidsMarked(prefix: string): number[] {
  const wanted = `\0${MARK_VARIABLE}=${prefix}`;
  return spare.lend(() =>
    processIds().filter((pid) => pid !== process.pid && `\0${readEnvironment(pid)}`.includes(wanted)),
  );
}

/**
 * SIGKILLs every process whose mark starts with `prefix`, again as long as it finds more, at most five times (one may fork while we
 * look), and returns how many were killed. At once by SIGKILL: SIGTERM takes Claude 1.4 to 5 s in a tool.
 */
export function killMarked(prefix: string): number {
  const killed = new Set<number>();
  for (let round = 0; round < 5; round++) {
    const found = pidsMarked(prefix).filter((pid) => !killed.has(pid));
    if (found.length === 0) break;
    for (const pid of found) {
      killed.add(pid);
      tryKill(pid);
    }
  }
  return killed.size;
}

function processIds(): number[] {
  if (process.platform !== "linux") return [];
  try {
    return readdirSync("/proc").map(Number).filter(Number.isInteger);
  } catch {
    return []; // the whole machine is out of descriptors or memory
  }
}

function readEnvironment(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/environ`, "latin1");
  } catch {
    return ""; // gone meanwhile, or another user's
  }
}

function tryKill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // gone meanwhile
  }
}
