import { readdirSync, readFileSync } from "node:fs";
import { descendants } from "@synthesis/testkit";

/** What a process has used so far. Linux only. */
export interface ProcessCost {
  /** Of all its threads that live. */
  readonly cpuMs: number;
  /** To files and sockets. */
  readonly writtenBytes: number;
}

export function costOf(pid: number): ProcessCost {
  const threads = readdirSync(`/proc/${pid}/task`);
  const ns = threads.map((thread) =>
    Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, "utf8").split(" ")[0]),
  );
  const written = /^wchar: (\d+)$/m.exec(readFileSync(`/proc/${pid}/io`, "utf8"))?.[1];
  return { cpuMs: ns.reduce((sum, each) => sum + each, 0) / 1e6, writtenBytes: Number(written) };
}

/** The process below `pid` with this title. */
export function pidOf(pid: number, title: string): number {
  const found = descendants(pid).find(({ command }) => command === title);
  if (found === undefined) throw new Error(`no process is called ${title}`);
  return found.pid;
}
