import { isAbsolute, relative, resolve } from "node:path";
import * as z from "zod";

const Rule = z.object({ toolName: z.string(), ruleContent: z.string().optional() });
type Rule = z.infer<typeof Rule>;

const AddRules = z.object({
  type: z.literal("addRules"),
  rules: z.array(Rule),
  behavior: z.literal("allow"),
});

/** What Claude Code is told to allow from now on. */
export interface PermissionUpdate {
  readonly type: "addRules";
  readonly rules: readonly Rule[];
  readonly behavior: "allow";
  readonly destination: "session";
}

/**
 * Of what Claude Code suggests to allow from now on: the rules, for this session only. Not another permission mode,
 * nor what lies outside the workspace, nor anything that would stay in a settings file.
 */
export function sessionRules(suggestions: readonly unknown[], workspace: string): PermissionUpdate[] {
  return suggestions.flatMap((suggestion) => {
    const update = AddRules.safeParse(suggestion).data;
    const rules = update?.rules.filter((rule) => isWithin(rule, workspace)) ?? [];
    return rules.length === 0 ? [] : [{ type: "addRules", rules, behavior: "allow", destination: "session" }];
  });
}

/** In Claude Code's own form. */
export function wordsOfRule({ toolName, ruleContent }: Rule): string {
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

/** Paths in rules begin with `//` where they are absolute, and with `/` or a name where they are the workspace's. */
function isWithin({ toolName, ruleContent = "" }: Rule, workspace: string): boolean {
  if (toolName === "Bash") return true;
  if (ruleContent === "") return !PATH_TOOLS.has(toolName);
  if (ruleContent.startsWith("~") || ruleContent.includes("..")) return false;
  if (!ruleContent.startsWith("//")) return true;
  const path = relative(workspace, withoutPattern(ruleContent.slice(1)));
  return !path.startsWith("..") && !isAbsolute(path);
}

/** The folder in which all that a path with a pattern matches lies; without a pattern, the path. */
function withoutPattern(path: string): string {
  const [fixed = ""] = path.split(/[*?[{]/, 1);
  return resolve(fixed === path ? path : fixed.slice(0, fixed.lastIndexOf("/") + 1));
}
