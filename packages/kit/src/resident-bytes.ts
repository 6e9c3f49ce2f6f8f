import { readFileSync } from "node:fs";

/**
 * The private memory of a process in bytes (`RssAnon`), or 0 where it is gone or the system has no /proc.
 * Not RSS: Claude processes share the 80 MB of their binary, which must not count once for each.
 */
export function residentBytes(pid: number): number {
  try {
    const kilobytes = /^RssAnon:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
    return Number(kilobytes ?? 0) * 1024;
  } catch {
    return 0;
  }
}
