import { printable } from "@synthesis/kit";
import type { Submit } from "@synthesis/protocol";
import { refuse } from "../turn-request/read-shape.ts";

type Effort = NonNullable<Submit["effort"]>;

/** OpenAI's words for effort, and `max`, in Claude's: it does not know the first two. */
const efforts: ReadonlyMap<string, { readonly effort: Effort; readonly isExact: boolean }> = new Map([
  ["none", { effort: "low", isExact: false }],
  ["minimal", { effort: "low", isExact: false }],
  ["low", { effort: "low", isExact: true }],
  ["medium", { effort: "medium", isExact: true }],
  ["high", { effort: "high", isExact: true }],
  ["xhigh", { effort: "xhigh", isExact: true }],
  ["max", { effort: "max", isExact: true }],
]);

/** How hard the agent is to think. `isExact`: Claude knows just that. Throws `invalid_request` for another word. */
export function readEffort(
  value: string,
  at = "reasoning_effort",
): { readonly effort: Effort; readonly isExact: boolean } {
  return (
    efforts.get(value) ??
    refuse(at, `"${printable(value)}" is not known: send one of ${[...efforts.keys()].join(", ")}`)
  );
}
