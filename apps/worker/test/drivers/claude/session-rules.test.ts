import { expect, test } from "vitest";
import { keptRules, sessionRules } from "../../../src/drivers/claude/session-rules.ts";

const suggestion = (toolName: string, ruleContent?: string, more: object = {}) => ({
  type: "addRules",
  rules: [{ toolName, ...(ruleContent === undefined ? {} : { ruleContent }) }],
  behavior: "allow",
  destination: "localSettings",
  ...more,
});
const kept = (...suggestions: object[]) => sessionRules(suggestions, "/home/me/space");

test("rules are kept, for the session only", () => {
  expect(kept(suggestion("Bash", "npm test:*"))).toEqual([
    suggestion("Bash", "npm test:*", { destination: "session" }),
  ]);
});

test.for([
  { type: "setMode", mode: "acceptEdits", destination: "session" },
  { type: "addDirectories", directories: ["/home/me/space"], destination: "session" },
  suggestion("Bash", "ls", { behavior: "deny" }),
  suggestion("Bash", "ls", { type: "replaceRules" }),
  suggestion("Read", "//etc/**"),
  suggestion("Read", "//home/me/spacebar/**"),
  suggestion("Read", "//home/me/space/../other/**"),
  suggestion("Edit", "~/.ssh/**"),
  suggestion("Edit", "../**"),
  suggestion("Read", "//**"),
  suggestion("Read", "//home/me/space*/**"),
  suggestion("Read", "//home/me/space?/**"),
  suggestion("Read", "//home/me/spac[ef]/**"),
  suggestion("Read", "//home/me/{space,other}/**"),
  suggestion("Read", "/{a,..}/**"),
  suggestion("Edit"),
  suggestion("Write", ""),
  suggestion("Grep"),
  suggestion("Bash", ""),
  suggestion("Bash", "x".repeat(1_024)),
  suggestion("Edit(//etc/**)"),
  suggestion("Bash(rm:*) "),
  suggestion("*"),
])("%j is not offered", (each) => {
  expect(kept(each)).toEqual([]);
});

test.for([
  "//home/me/space",
  "//home/me/space/**",
  "//home/me/space/*",
  "//home/me/space/src/*.ts",
  "/src/**",
  "src/**",
])("%s is within", (path) => {
  expect(kept(suggestion("Edit", path))).toHaveLength(1);
});

test("of several rules those outside are left out", () => {
  const rules = [{ toolName: "Read", ruleContent: "//etc/**" }, { toolName: "WebFetch" }];
  expect(kept({ ...suggestion("Read"), rules })).toMatchObject([{ rules: [{ toolName: "WebFetch" }] }]);
});

test("more than a person reads is not offered", () => {
  const rules = (count: number) => ({
    ...suggestion("Bash"),
    rules: Array.from({ length: count }, (_, index) => ({ toolName: "Bash", ruleContent: `ls ${index}` })),
  });
  expect(kept(rules(16))[0]?.rules).toHaveLength(16);
  expect([kept(rules(17)), kept(rules(10), rules(7))]).toEqual([[], []]);
});

test("a path of the workspace is kept as a whole one, a command as it is; what another folder had is not", () => {
  const rules = [
    { toolName: "Edit", ruleContent: "/src/**" },
    { toolName: "Edit", ruleContent: "docs/**" },
    { toolName: "Edit", ruleContent: "//home/me/space/lib/**" },
    { toolName: "Bash", ruleContent: "/bin/ls:*" },
    { toolName: "mcp__files__list" },
  ];
  const here = keptRules(rules, "/home/me/space");
  expect(here).toEqual([{ toolName: "Edit", ruleContent: "//home/me/space/src/**" }, ...rules.slice(1)]);
  expect(keptRules(here, "/home/me/other")).toEqual([rules[1], rules[3], rules[4]]);
});

test("a path of a workspace whose name would be a pattern is not kept", () => {
  expect(keptRules([{ toolName: "Edit", ruleContent: "/src/**" }], "/home/me/[ab]")).toEqual([]);
});
