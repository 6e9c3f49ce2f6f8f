import type { Submit } from "@synthesis/protocol";
import { hashOf } from "./hash-of.ts";

/** Which instructions a turn comes with: those of the same mark are not told to its conversation again. */
export function instructionsMark({
  instructions,
  instructionsMark: mark,
}: Pick<Submit, "instructions" | "instructionsMark">): string | undefined {
  return instructions === undefined ? undefined : (mark ?? hashOf(instructions));
}
