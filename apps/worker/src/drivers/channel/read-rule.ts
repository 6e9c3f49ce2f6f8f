/**
 * What means something in the path of a rule, or in a list of rules, and is not always taken as it is where it is escaped.
 * `?` stands for any one character; no other folder is meant so, for the path ends in two hashes.
 */
const SPECIAL = /[*[\]\\()]/g;

/** Claude Code's rule that all of an inbox may be read; `folder`: its real path, for Claude Code compares that one too. */
export function readRule(folder: string): string {
  return `Read(/${folder.replaceAll(SPECIAL, "?")}/**)`;
}
