import type { Logger } from "@synthesis/kit";
import type { WireError } from "@synthesis/protocol";

/** What a client is told of a fault of ours; the log has the whole of it. */
export function internalError(error: unknown, log: Logger): WireError {
  log.error("gateway.failed", {
    error: error instanceof Error ? (error.stack ?? error.message) : String(error),
  });
  return { code: "internal_error", message: "the gateway failed: see its log" };
}
