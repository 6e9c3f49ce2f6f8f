import { expect, test } from "vitest";
import { keptRules, sessionRules } from "../../../src/drivers/claude/session-rules.ts";
import { originOf } from "../../../src/journal/turn-origin.ts";
import { JournalFile, turnId } from "../../support/test-journal.ts";
import { testSubmit } from "../../support/test-submit.ts";

const suggestion = (toolName: string, ruleContent?: string, more: object = {}) => ({
  type: "addRules",
  rules: [{ toolName, ...(ruleContent === undefined ? {} : { ruleContent }) }],
  behavior: "allow",
  destination: "localSettings",
  ...more,
});
const offered = (...suggestions: object[]) => sessionRules(suggestions, "/home/me/space");

test("rules are offered, for the session only", () => {
  expect(offered(suggestion("Bash", "npm test:*"))).toEqual([
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
  suggestion("Read", "/../other/**"),
  suggestion("Edit", "/.claude/skills/x/**"),
  suggestion("Edit", "//home/me/space/.claude/**"),
  suggestion("Edit", "./.claude/skills/x/**"),
  suggestion("Edit", `/${"x".repeat(1_024 - "/home/me/space/".length - "Edit".length)}`),
  suggestion("Bash", "echo \ud800"),
  suggestion("Edit"),
  suggestion("Write", ""),
  suggestion("Grep"),
  suggestion("Bash", ""),
  suggestion("Bash", "x".repeat(1_024)),
  suggestion("Edit(//etc/**)"),
  suggestion("Bash(rm:*) "),
  suggestion("*"),
])("%j is not offered", (each) => {
  expect(offered(each)).toEqual([]);
});

test.for([
  ["//home/me/space"],
  ["//home/me/space/**"],
  ["//home/me/space/*"],
  ["//home/me/space/src/*.ts"],
  ["//home/me/space/..x/a..b/.../**"],
  ["src/**"],
  ["..x/**"],
  ["/src/**", "//home/me/space/src/**"],
  ["/.claudette/**", "//home/me/space/.claudette/**"],
  ["/src/../lib/**", "//home/me/space/lib/**"],
] as const)(
  "%s is within, and offered as a path that means the same in any settings",
  ([path, whole = path]) => {
    expect(offered(suggestion("Edit", path))).toMatchObject([{ rules: [{ ruleContent: whole }] }]);
  },
);

test("of several rules those outside are left out", () => {
  const rules = [{ toolName: "Read", ruleContent: "//etc/**" }, { toolName: "WebFetch" }];
  expect(offered({ ...suggestion("Read"), rules })).toMatchObject([{ rules: [{ toolName: "WebFetch" }] }]);
});

test("more than a person reads is not offered", () => {
  const rules = (count: number, length = 6) => ({
    ...suggestion("Bash"),
    rules: Array.from({ length: count }, (_, index) => ({
      toolName: "Bash",
      ruleContent: `${index}`.padEnd(length - "Bash".length, "x"),
    })),
  });
  expect(offered(rules(16, 256))[0]?.rules).toHaveLength(16);
  expect([offered(rules(17)), offered(rules(10), rules(7))]).toEqual([[], []]);
  expect([offered(rules(16, 257)), offered(rules(2, 1_024), rules(3, 1_024))]).toEqual([[], []]);
});

test.for([
  ["/home/me/[ab]", ["src/**"]],
  ["/home/me/a*", ["src/**"]],
  [`/${"x".repeat(1_020)}`, ["src/**"]],
  ["/home/me/a..b", ["//home/me/a..b/src/**", "src/**"]],
] as const)("in %s are offered those rules of which each is kept: %j", ([workspace, contents]) => {
  const suggested = ["/src/**", "src/**"].map((content) => suggestion("Edit", content));
  const rules = sessionRules(suggested, workspace).flatMap((update) => update.rules);
  expect(rules.map((rule) => rule.ruleContent)).toEqual(contents);
  expect(keptRules(rules, workspace)).toEqual(rules);
});

test("all that is offered at once the journal keeps", async () => {
  await using file = await JournalFile.make();
  const journal = file.open();
  const order = testSubmit(turnId(1), "hi", { session: "s" });
  journal.accept(order, originOf(order, journal));
  const rule = (letter: string) => ({ toolName: "Bash", ruleContent: "€".repeat(1_019).concat(letter) });
  const rules = ["a", "b", "c", "d"].map(rule);
  expect(offered({ ...suggestion("Bash"), rules })).toMatchObject([{ rules }]);
  journal.allow("s", rules);
  expect(journal.allowedRules.of("s")).toEqual(rules);
});

test("of what was allowed in another folder the rest holds here", () => {
  const rules = [
    { toolName: "Edit", ruleContent: "//home/me/space/src/**" },
    { toolName: "Edit", ruleContent: "docs/**" },
    { toolName: "Bash", ruleContent: "/bin/ls:*" },
    { toolName: "mcp__files__list" },
  ];
  expect(keptRules(rules, "/home/me/space")).toEqual(rules);
  expect(keptRules(rules, "/home/me/other")).toEqual(rules.slice(1));
});
