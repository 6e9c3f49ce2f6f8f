import type { WireError } from "@synthesis/protocol";

/** How long an account is left alone whose limit came without a reset time, in ms. */
export const UNKNOWN_RESET_MS = 60_000;

/**
 * The error of a turn that a limit of its account ends. `resetsAt`: epoch ms, where Claude Code told it (it
 * does for a subscription's usage limit, not for a `retry-after` that it does not wait for; measured with
 * 2.1.330). `said`: its own words.
 */
export function rateLimitError(resetsAt: number | undefined, said: string): WireError {
  const retryAfterMs = Math.max(0, (resetsAt ?? Date.now() + UNKNOWN_RESET_MS) - Date.now());
  const when =
    resetsAt === undefined
      ? "it did not say till when, try again in a minute"
      : `try again at ${new Date(resetsAt).toISOString()}`;
  const detail = said === "" ? "" : ` (${said})`;
  return {
    code: "upstream_rate_limit",
    message: `Claude's API takes no more from this account for now: ${when}${detail}`,
    retryAfterMs,
  };
}
