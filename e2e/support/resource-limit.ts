import { execFileSync } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";

type Resource = "nofile" | "fsize" | "nproc";

/** Lowers a limit of a running process, as `ulimit` would have before its start; undone by disposal, or before. */
export class ResourceLimit implements Disposable {
  readonly #pid: number;
  readonly #resource: Resource;
  #before: string | undefined;

  constructor(pid: number, resource: Resource, limit: number) {
    this.#pid = pid;
    this.#resource = resource;
    this.#before = prlimit(pid, `--${resource}`, "--output=SOFT", "--noheadings", "--raw");
    this.#set(String(limit));
  }

  /** Leaves a process `free` descriptors beside those it has. */
  static descriptors(pid: number, free: number): ResourceLimit {
    const open = new Set(readdirSync(`/proc/${pid}/fd`).map(Number));
    let limit = 0;
    for (let left = free; left > 0 || open.has(limit); limit++) if (!open.has(limit)) left--;
    return new ResourceLimit(pid, "nofile", limit);
  }

  /** Does nothing where the process is gone. */
  lift(): void {
    if (this.#before !== undefined && existsSync(`/proc/${this.#pid}`)) this.#set(this.#before);
    this.#before = undefined;
  }

  [Symbol.dispose](): void {
    this.lift();
  }

  #set(limit: string): void {
    prlimit(this.#pid, `--${this.#resource}=${limit}:`);
  }
}

function prlimit(pid: number, ...args: readonly string[]): string {
  return execFileSync("prlimit", ["--pid", String(pid), ...args], { encoding: "utf8" }).trim();
}
