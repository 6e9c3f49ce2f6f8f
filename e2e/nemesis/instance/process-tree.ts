import { readFileSync } from "node:fs";
import { descendants, liveProcess } from "@synthesis/testkit";

/** What a process of Synthesis is there for. */
export type Role = "agent" | "worker" | "gateway" | "supervisor";

/** One life of one process: a pid alone may be somebody else's by now. */
export interface ProcessLife {
  readonly pid: number;
  /** Clock ticks from boot to its start (`starttime` of proc(5)). */
  readonly startedAt: string;
  readonly command: string;
}

/** A process with its part in Synthesis. */
export interface RoleHolder extends ProcessLife {
  readonly role: Role;
  /** Of an agent and a worker. */
  readonly workspace?: string;
}

/** Who holds which role below `synthesis up`. One that has not taken its title yet is not among them. */
export function roleHolders(root: number): readonly RoleHolder[] {
  const tree = descendants(root);
  const workerOf = new Map<number, string>();
  for (const { pid, command } of tree) {
    const workspace = /^synthesis-worker (\S+)$/.exec(command)?.[1];
    if (workspace !== undefined) workerOf.set(pid, workspace);
  }
  const holders: RoleHolder[] = [];
  for (const { pid, parent, command } of tree) {
    const startedAt = startOf(pid);
    if (startedAt === undefined) continue;
    const life = { pid, startedAt, command };
    const [own, employer] = [workerOf.get(pid), workerOf.get(parent)];
    if (own !== undefined) holders.push({ ...life, role: "worker", workspace: own });
    else if (employer !== undefined) holders.push({ ...life, role: "agent", workspace: employer });
    else if (command === "synthesis-gateway") holders.push({ ...life, role: "gateway" });
    else if (command === "synthesis-supervisor") holders.push({ ...life, role: "supervisor" });
  }
  return holders;
}

/** The lives of everything below a process. */
export function livesBelow(root: number): readonly ProcessLife[] {
  return descendants(root).flatMap(({ pid, command }) => {
    const startedAt = startOf(pid);
    return startedAt === undefined ? [] : [{ pid, startedAt, command }];
  });
}

/** Whether it still goes on, be it stopped or re-parented; a zombie does not. */
export function isAlive({ pid, startedAt }: ProcessLife): boolean {
  return liveProcess(pid) !== undefined && startOf(pid) === startedAt;
}

function startOf(pid: number): string | undefined {
  try {
    // Field 22; the name in parentheses may hold anything, so what follows is counted from the last one.
    return readFileSync(`/proc/${pid}/stat`, "latin1").split(") ").at(-1)?.split(" ")[19];
  } catch {
    return undefined;
  }
}
