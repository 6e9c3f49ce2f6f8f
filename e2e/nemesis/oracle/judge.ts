import { endsInTime } from "./ends-in-time.ts";
import type { Evidence, Invariant, Violation } from "./evidence.ts";
import { noCrossing } from "./no-crossing.ts";
import { noStaleOutput } from "./no-stale-output.ts";
import { nothingLeft } from "./nothing-left.ts";
import { oneEnd } from "./one-end.ts";
import { oneStart } from "./one-start.ts";
import { sameBytes } from "./same-bytes.ts";
import { startOrder } from "./start-order.ts";
import { untouchedControl } from "./untouched-control.ts";

const invariants: readonly Invariant[] = [
  oneEnd,
  oneStart,
  startOrder,
  noCrossing,
  sameBytes,
  nothingLeft,
  endsInTime,
  untouchedControl,
  noStaleOutput,
];

/** The oracle: every violation of I1 to I9 that the evidence shows. */
export function judge(evidence: Evidence): readonly Violation[] {
  return invariants.flatMap((invariant) => invariant(evidence));
}
