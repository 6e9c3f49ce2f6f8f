const FIRST_MS = 100;
const LONGEST_MS = 5_000;

/** The pause before reconnect `attempt` (from 0): doubling from 100 ms to 5 s, of which the later half is random. */
export function backoffMs(attempt: number, random: () => number = Math.random): number {
  const ceilingMs = Math.min(FIRST_MS * 2 ** attempt, LONGEST_MS);
  return ceilingMs / 2 + (random() * ceilingMs) / 2;
}
