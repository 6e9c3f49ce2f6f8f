import * as z from "zod";
import { PermissionRule } from "./permission-rule.ts";
import { isOfWorkspace, withWholePath } from "./rule-path.ts";

const AddRules = z.object({
  type: z.literal("addRules"),
  rules: z.array(PermissionRule),
  behavior: z.literal("allow"),
});

/** What Claude Code is told to allow from now on. */
export interface PermissionUpdate {
  readonly type: "addRules";
  readonly rules: readonly PermissionRule[];
  readonly behavior: "allow";
  readonly destination: "session";
}

/** What is longer, or more at once, no person reads. */
const MAX_RULE_CHARACTERS = 1_024;
const MAX_RULES = 16;
const MAX_CHARACTERS = 4_096;
/** No character that has a meaning in the text of a rule. */
const TOOL_NAME = /^[\w.:-]+$/;

/**
 * Of what Claude Code suggests to allow from now on: the rules, for this session only, in the form in which they are
 * shown, told and kept. Not another permission mode, nor what lies outside the workspace, nor what no later process of
 * the session could be told. None where these are too many to be read by whoever is asked.
 */
export function sessionRules(suggestions: readonly unknown[], workspace: string): PermissionUpdate[] {
  const updates = suggestions.flatMap((suggestion): PermissionUpdate[] => {
    const suggested = AddRules.safeParse(suggestion).data?.rules ?? [];
    const rules = keptRules(
      suggested.map((rule) => withWholePath(rule, workspace)),
      workspace,
    );
    return rules.length === 0 ? [] : [{ type: "addRules", rules, behavior: "allow", destination: "session" }];
  });
  const rules = updates.flatMap((update) => update.rules);
  const characters = rules.reduce((sum, rule) => sum + lengthOf(rule), 0);
  return rules.length > MAX_RULES || characters > MAX_CHARACTERS ? [] : updates;
}

/** Of rules that were allowed for a session: those that may be in this workspace, which may be another folder by now. */
export function keptRules(rules: readonly PermissionRule[], workspace: string): PermissionRule[] {
  return rules.filter((rule) => mayBeKept(rule, workspace));
}

/** In Claude Code's own form. */
export function wordsOfRule({ toolName, ruleContent }: PermissionRule): string {
  const rule = ruleContent === undefined ? toolName : `${toolName}(${ruleContent})`;
  return `${rule} in this session`;
}

function mayBeKept(rule: PermissionRule, workspace: string): boolean {
  const { toolName, ruleContent } = rule;
  if (!TOOL_NAME.test(toolName) || ruleContent === "" || ruleContent?.isWellFormed() === false) return false;
  return lengthOf(rule) <= MAX_RULE_CHARACTERS && isOfWorkspace(rule, workspace);
}

function lengthOf({ toolName, ruleContent = "" }: PermissionRule): number {
  return toolName.length + ruleContent.length;
}
