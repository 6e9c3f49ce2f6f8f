import * as z from "zod";

/** What Claude Code may do without asking: a tool, or what of it. */
export const PermissionRule = z.object({ toolName: z.string(), ruleContent: z.string().optional() });
export type PermissionRule = z.infer<typeof PermissionRule>;

/** As it is written in Claude Code's settings. */
export function ruleText({ toolName, ruleContent }: PermissionRule): string {
  if (ruleContent === undefined) return toolName;
  return `${toolName}(${ruleContent.replaceAll(/[\\()]/g, (character) => `\\${character}`)})`;
}
