import { WireFailure, type WireError } from "@synthesis/protocol";

/** Never a clean end of an answer that is not whole. */
export const NOT_KEPT: WireError = {
  code: "turn_gone",
  message: "the beginning of this answer is not kept any more (limits.turnLogBytes, limits.joinMs)",
};

/** The worker was asked, and has no such turn. */
export const FORGOTTEN: WireError = {
  code: "turn_interrupted",
  message: "the workspace's worker knows nothing of this turn any more: what it did may have had effects",
};

/** The worker that may run it cannot be asked. */
export const UNREACHABLE: WireError = {
  code: "turn_interrupted",
  message:
    "the workspace's worker does not come back: what the turn did may have had effects; its answer may be read later with its Idempotency-Key",
};

/** Its message was given to the agent within another turn, and nobody can say any more what became of it. */
export const STEER_UNKNOWN: WireError = {
  code: "turn_interrupted",
  message:
    "it is not known whether the agent took the message up within the running turn: what the agent did may have had effects; the answer of that turn (x-synthesis-steers) may tell",
};

/** Its time did not come. */
export function queueTimeout(queueMs: number): WireFailure {
  const message = `the turn's time did not come within ${queueMs} ms (limits.queueMs)`;
  return new WireFailure("queue_timeout", message, { retryAfterMs: 5_000 });
}
