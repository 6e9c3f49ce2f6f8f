import { expect, test } from "vitest";
import { ruleText } from "../../../src/drivers/claude/permission-rule.ts";

test.for([
  ["Bash", undefined, "Bash"],
  ["Bash", "npm test:*", "Bash(npm test:*)"],
  ["Bash", String.raw`node -e "f(1), \n"`, String.raw`Bash(node -e "f\(1\), \\n")`],
  ["mcp__x__y", undefined, "mcp__x__y"],
] as const)("%s with %s is %s", ([toolName, ruleContent, text]) => {
  expect(ruleText({ toolName, ...(ruleContent === undefined ? {} : { ruleContent }) })).toBe(text);
});
