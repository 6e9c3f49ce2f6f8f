import { readFileSync, readdirSync } from "node:fs";

/**
 * Every agent process is started with this variable, and whatever it starts inherits it: the only tie that
 * a Bash child of Claude keeps, which runs in a session and process group of its own and is re-parented
 * when Claude is killed (measured with Claude Code 2.1.330).
 */
export const MARK_VARIABLE = "SYNTHESIS_MARK";

/** The live processes of this user whose mark starts with `prefix`. Linux only: elsewhere none are found. */
export function pidsMarked(prefix: string): number[] {
  const wanted = `\0${MARK_VARIABLE}=${prefix}`;
  return processIds().filter((pid) => pid !== process.pid && `\0${readEnvironment(pid)}`.includes(wanted));
}

/**
 * SIGKILLs every process whose mark starts with `prefix`, again until none is found (one may fork while we
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
  return readdirSync("/proc").map(Number).filter(Number.isInteger);
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
