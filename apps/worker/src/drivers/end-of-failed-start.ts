import type { TurnEnd } from "@synthesis/protocol";

/** What this process or its machine has no more of, and what helps, by the code that starting a program fails with. */
const shortages: Readonly<Record<string, string>> = {
  EMFILE: "too many open files: raise ulimit -n",
  ENFILE: "too many open files on this machine: raise the sysctl fs.file-max",
  EAGAIN: "too many processes: raise ulimit -u, or TasksMax of the systemd unit",
  ENOMEM: "not enough memory: free some, or lower limits.memoryMb",
};
const RETRY_AFTER_MS = 5_000;

/**
 * How a turn ends whose agent could not be started: `what` says so, `code` is the system's. `remedy` is what helps
 * where nothing has run short; a shortage may be over when the request comes again.
 */
export function endOfFailedStart(what: string, code: string, remedy: string): TurnEnd {
  const shortage = shortages[code];
  const message = `${what} (${code}): ${shortage ?? remedy}`;
  const retry = shortage === undefined ? {} : { retryAfterMs: RETRY_AFTER_MS };
  return { state: "failed", error: { code: "agent_unavailable", message, ...retry } };
}
