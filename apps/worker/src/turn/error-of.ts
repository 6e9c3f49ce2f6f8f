import { WireFailure, type WireError } from "@synthesis/protocol";
import { isCorrupt, isDatabaseError } from "../journal/database-error.ts";
import { shortage } from "../process/shortage.ts";

/** What whoever asked is told of an exception: of a fault of ours no more than where to look. */
export function errorOf(cause: unknown): WireError {
  if (cause instanceof WireFailure) return cause.error;
  if (!isDatabaseError(cause)) {
    const code = cause instanceof Error && "code" in cause ? cause.code : undefined;
    const what = "the agent's process could not be made ready";
    return shortage(what, code) ?? { code: "internal_error", message: "the worker failed: see its log" };
  }
  const message = isCorrupt(cause)
    ? "the workspace's journal is damaged, and is being replaced: try again in a moment"
    : "the workspace's journal cannot be written: free disk space, then try again";
  return { code: "worker_unavailable", message, retryAfterMs: isCorrupt(cause) ? 1_000 : 5_000 };
}
