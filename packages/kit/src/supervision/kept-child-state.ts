/**
 * How a kept process is:
 *
 * - `starting`: forked, not ready;
 * - `serving`: ready;
 * - `unresponsive`: ready, but silent for half of the time after which it counts as hung and is killed;
 * - `draining`: told to end, finishing what runs; the next generation, if there is to be one, comes after it;
 * - `pausing`: dead, the next generation waits for its backoff;
 * - `failing`: the same, after so many deaths in a row that who asks for it is refused at once, until a
 *   generation serves;
 * - `closed`: ended for good.
 */
export type KeptChildState =
  | "starting"
  | "serving"
  | "unresponsive"
  | "draining"
  | "pausing"
  | "failing"
  | "closed";
