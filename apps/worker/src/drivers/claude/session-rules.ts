import { isAbsolute, join, relative, resolve } from "node:path";
import * as z from "zod";
import { PermissionRule } from "./permission-rule.ts";

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

/** What is longer, or more, no person reads. */
const MAX_RULE_CHARACTERS = 1_024;
const MAX_RULES = 16;
/** No character that has a meaning in the text of a rule. */
const TOOL_NAME = /^[\w.:-]+$/;

/**
 * Of what Claude Code suggests to allow from now on: the rules, for this session only. Not another permission mode,
 * nor what lies outside the workspace, nor anything that would stay in a settings file. None where these are too many to
 * be read by whoever is asked.
 */
export function sessionRules(suggestions: readonly unknown[], workspace: string): PermissionUpdate[] {
  const updates = suggestions.flatMap((suggestion): PermissionUpdate[] => {
    const update = AddRules.safeParse(suggestion).data;
    const rules = update?.rules.filter((rule) => mayBeKept(rule, workspace)) ?? [];
    return rules.length === 0 ? [] : [{ type: "addRules", rules, behavior: "allow", destination: "session" }];
  });
  return updates.flatMap(({ rules }) => rules).length > MAX_RULES ? [] : updates;
}

/**
 * Of rules that were allowed for a session: those that may be in this workspace, which may be another folder by now, in
 * a form that means the same in any settings.
 */
export function keptRules(rules: readonly PermissionRule[], workspace: string): PermissionRule[] {
  return rules.map((rule) => withWholePath(rule, workspace)).filter((rule) => mayBeKept(rule, workspace));
}

/** In Claude Code's own form. */
export function wordsOfRule({ toolName, ruleContent }: PermissionRule): string {
  const rule = ruleContent === undefined ? toolName : `${toolName}(${ruleContent})`;
  return `${rule} in this session`;
}

/** Tools whose rules name paths: without one, a rule of theirs is about every file there is. */
const PATH_TOOLS: ReadonlySet<string> = new Set([
  "Edit",
  "Glob",
  "Grep",
  "LS",
  "MultiEdit",
  "NotebookEdit",
  "NotebookRead",
  "Read",
  "Write",
]);

function mayBeKept(rule: PermissionRule, workspace: string): boolean {
  const { toolName, ruleContent } = rule;
  if (!TOOL_NAME.test(toolName) || ruleContent === "") return false;
  return toolName.length + (ruleContent ?? "").length <= MAX_RULE_CHARACTERS && isWithin(rule, workspace);
}

/** Paths in rules begin with `//` where they are absolute, and with `/` or a name where they are the workspace's. */
function isWithin({ toolName, ruleContent = "" }: PermissionRule, workspace: string): boolean {
  if (toolName === "Bash") return true;
  if (ruleContent === "") return !PATH_TOOLS.has(toolName);
  if (ruleContent.startsWith("~") || ruleContent.includes("..")) return false;
  if (!ruleContent.startsWith("//")) return true;
  const path = relative(workspace, withoutPattern(ruleContent.slice(1)));
  return !path.startsWith("..") && !isAbsolute(path);
}

/** A path that begins with `/` is one of the folder that its settings are in, and these are in none. */
function withWholePath(rule: PermissionRule, workspace: string): PermissionRule {
  const { toolName, ruleContent = "" } = rule;
  if (!PATH_TOOLS.has(toolName) || !/^\/(?!\/)/.test(ruleContent)) return rule;
  return { toolName, ruleContent: `/${join(workspace, ruleContent)}` };
}

/** The folder in which all that a path with a pattern matches lies; without a pattern, the path. */
function withoutPattern(path: string): string {
  const [fixed = ""] = path.split(/[*?[{]/, 1);
  return resolve(fixed === path ? path : fixed.slice(0, fixed.lastIndexOf("/") + 1));
}
