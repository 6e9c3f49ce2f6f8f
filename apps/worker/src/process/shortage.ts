import type { WireError } from "@synthesis/protocol";

/** What this process or its machine has no more of, and what helps, by the system's error code. */
const shortages: Readonly<Record<string, string>> = {
  EMFILE: "too many open files: raise ulimit -n",
  ENFILE: "too many open files on this machine: raise the sysctl fs.file-max",
  EAGAIN: "too many processes: raise ulimit -u, or TasksMax of the systemd unit",
  ENOMEM: "not enough memory: free some, or lower limits.memoryMb",
};
const RETRY_AFTER_MS = 5_000;

/** `what` could not be done, by an error with this code; undefined where that does not mean a shortage. It may be over soon. */
export function shortage(what: string, code: unknown): WireError | undefined {
  const cause = shortages[String(code)];
  if (cause === undefined) return undefined;
  return {
    code: "agent_unavailable",
    message: `${what} (${String(code)}): ${cause}`,
    retryAfterMs: RETRY_AFTER_MS,
  };
}
