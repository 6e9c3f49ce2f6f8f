import { expect, test } from "vitest";
import { sessionRules } from "../../../src/drivers/claude/session-rules.ts";

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
