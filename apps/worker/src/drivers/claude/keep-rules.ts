import type { AskVerdict } from "@synthesis/protocol";
import type { PermissionRule } from "./permission-rule.ts";

/** Keeps rules for the later processes of a session; returns whether that could be done. */
export type KeepRules = (rules: readonly PermissionRule[]) => boolean;

/**
 * The verdict that an agent is told: `always` once its rules are kept, else `allow`, so that the agent never goes by a
 * rule that its next process would not know.
 */
export function toldVerdict(
  verdict: AskVerdict,
  rules: readonly PermissionRule[],
  keepRules: KeepRules,
): AskVerdict {
  if (verdict.behavior !== "always" || keepRules(rules)) return verdict;
  return { ...verdict, behavior: "allow" };
}
