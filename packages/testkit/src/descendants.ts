import { readFileSync, readdirSync } from "node:fs";

/** A live process. */
export interface LiveProcess {
  readonly pid: number;
  readonly parent: number;
  /** Its command line, arguments joined by spaces. */
  readonly command: string;
}

/** The live processes below `root`, from /proc; none where the system has no /proc. Zombies do not count. */
export function descendants(root = process.pid): LiveProcess[] {
  if (process.platform !== "linux") return [];
  const byParent = Map.groupBy(allProcesses(), ({ parent }) => parent);
  const found: LiveProcess[] = [];
  const visit = (pid: number) => {
    for (const child of byParent.get(pid) ?? []) {
      found.push(child);
      visit(child.pid);
    }
  };
  visit(root);
  return found;
}

/** The process, or undefined where it is gone or a zombie. */
export function liveProcess(pid: number): LiveProcess | undefined {
  try {
    // The name in parentheses may hold anything, so what follows is counted from the last one.
    const [state, parent] = readFileSync(`/proc/${pid}/stat`, "latin1").split(") ").at(-1)?.split(" ") ?? [];
    if (state === "Z" || state === "X") return undefined;
    const command = readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ").trim();
    return { pid, parent: Number(parent), command };
  } catch {
    return undefined;
  }
}

function allProcesses(): LiveProcess[] {
  const pids = readdirSync("/proc").map(Number).filter(Number.isInteger);
  return pids.flatMap((pid) => liveProcess(pid) ?? []);
}
