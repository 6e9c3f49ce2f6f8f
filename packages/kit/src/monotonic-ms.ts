/**
 * The machine's monotonic clock, in ms: the same in all its processes, and nothing jumps in it when the time of day is
 * set. What it counts from is not known, and is another moment after each start of the machine.
 */
export function monotonicMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}
