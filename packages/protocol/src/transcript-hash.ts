import { createHash } from "node:crypto";

/** The hash of an empty transcript. */
export const EMPTY_TRANSCRIPT = createHash("sha256").update("synthesis transcript 1").digest("hex");

/**
 * The hash of a transcript with one more message: rolling, so that gateway (over a request's earlier
 * messages) and worker (over what it answered) arrive at the same value without sharing the text.
 */
export function rollTranscript(hash: string, role: "user" | "assistant" | "tool", text: string): string {
  return createHash("sha256").update(`${hash}\0${role}\0`).update(text).digest("hex");
}
