import type { Submit } from "@synthesis/protocol";
import { hashOf } from "./hash-of.ts";

/** Which instructions a turn comes with: those of the same hash are not told to its conversation again. */
export function instructionsHash({
  instructions,
  instructionsHash: named,
}: Pick<Submit, "instructions" | "instructionsHash">): string | undefined {
  return instructions === undefined ? undefined : (named ?? hashOf(instructions));
}
