import { join, normalize, resolve } from "node:path";
import { pathBelow } from "@synthesis/kit";
import type { PermissionRule } from "./permission-rule.ts";

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
/** Two dots that are a name, or that a pattern could make one. */
const PARENT = /(?<![^\s/\\*?[\]{},()|])\.\.(?![^\s/\\*?[\]{},()|])/;
/** Claude Code goes by a rule for its own folder only in the process that suggested it. */
const OWN_FOLDER = /^\.claude(\/|$)/;

/**
 * The rule in a form that means the same in any settings: paths in rules begin with `//` where they are absolute, with
 * a name where they are the workspace's, and with `/` where they are of the folder that the settings are in.
 */
export function withWholePath(rule: PermissionRule, workspace: string): PermissionRule {
  const { toolName, ruleContent = "" } = rule;
  if (!PATH_TOOLS.has(toolName) || !/^\/(?!\/)/.test(ruleContent)) return rule;
  return { toolName, ruleContent: `/${join(workspace, ruleContent)}` };
}

/** Whether a rule whose path is whole is of the workspace, and one that its settings may have. */
export function isOfWorkspace({ toolName, ruleContent = "" }: PermissionRule, workspace: string): boolean {
  if (toolName === "Bash") return true;
  if (ruleContent === "") return !PATH_TOOLS.has(toolName);
  if (ruleContent.startsWith("~") || PARENT.test(ruleContent)) return false;
  const below = ruleContent.startsWith("//")
    ? belowWorkspace(withoutPattern(ruleContent.slice(1)), workspace)
    : normalize(ruleContent);
  return below !== undefined && !OWN_FOLDER.test(below);
}

function belowWorkspace(path: string, workspace: string): string | undefined {
  return path === workspace ? "" : pathBelow(workspace, path);
}

/** The folder in which all that a path with a pattern matches lies; without a pattern, the path. */
function withoutPattern(path: string): string {
  const [fixed = ""] = path.split(/[*?[{]/, 1);
  return resolve(fixed === path ? path : fixed.slice(0, fixed.lastIndexOf("/") + 1));
}
