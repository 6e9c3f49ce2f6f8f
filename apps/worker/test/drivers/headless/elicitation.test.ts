import { readVerdict } from "@synthesis/protocol";
import { expect, test } from "vitest";
import { unanswered } from "../../../src/asks/answers-of.ts";
import { elicitedAsk } from "../../../src/drivers/headless/elicitation.ts";

const elicit = (properties: object) =>
  elicitedAsk({
    subtype: "elicitation",
    mcp_server_name: "shop",
    message: "Who are you?",
    requested_schema: { type: "object", properties },
  });
const fields = (count: number) =>
  Object.fromEntries(Array.from({ length: count }, (_, index) => [`f${index}`, { type: "string" }]));

test("a field called as what every object has is left out where nobody answered it", () => {
  const ask = elicit({ constructor: { type: "string" }, name: { type: "string" } });
  const content = ask?.answer({ behavior: "allow", answers: { name: "me" } });
  expect(content).toEqual({ action: "accept", content: { name: "me" } });
});

test("more fields, or longer ones, than can be put to a person are asked of nobody", () => {
  expect(elicit(fields(16))?.request.questions).toHaveLength(16);
  expect(elicit(fields(17))).toBeUndefined();
  expect(elicit({ f: { type: "string", description: "x".repeat(16_384) } })).toBeUndefined();
  expect(elicit({ f: { enum: Array.from({ length: 129 }, String) } })).toBeUndefined();
});

const server = {
  backup: { type: "boolean", title: "Keep a backup?" },
  copies: { type: "integer" },
  size: { enum: ["small", "large"] },
};
const asked = (names: readonly (keyof typeof server)[]) =>
  elicit(Object.fromEntries(names.map((name) => [name, server[name]])))!;
const heard = (names: readonly (keyof typeof server)[], words: string) => {
  const ask = asked(names);
  const verdict = readVerdict(words, ask.request)!;
  const open = unanswered(ask.request, verdict).map(({ question }) => question);
  return open.length > 0 ? open : (ask.answer(verdict) as { content?: object }).content;
};

test.for([
  ["yes", true],
  ["Y", true],
  ["ok", true],
  ["1", true],
  ["no", false],
  ["No.", false],
  ["TRUE", true],
  ["false", false],
  ["2", false],
] as const)("to yes or no, %s is %s", ([words, backup]) => {
  expect(heard(["backup"], words)).toEqual({ backup });
});

test.for([
  [["backup"], "yes please"],
  [["backup"], "always"],
  [["copies"], "three"],
  [["copies"], "1.5"],
  [["size"], "huge"],
] as const)("of %j, %s is no answer", ([names, words]) => {
  expect(heard(names, words)).toHaveLength(1);
});

test("each of several has its line; where one is no answer that one stays open, and an empty one may be left out", () => {
  const all = ["backup", "copies", "size"] as const;
  expect(heard(all, "no\n3\nlarge")).toEqual({ backup: false, copies: 3, size: "large" });
  expect(heard(all, "no\nthree\nlarge")).toEqual(["copies"]);
  const ask = asked(all);
  const blank = { behavior: "allow", answers: { copies: " ", size: "small" } } as const;
  expect([unanswered(ask.request, blank), ask.answer(blank)]).toEqual([
    [],
    { action: "accept", content: { size: "small" } },
  ]);
  const some = { behavior: "allow", answers: { copies: "2" } } as const;
  expect([unanswered(ask.request, some), ask.answer(some)]).toEqual([
    [],
    { action: "accept", content: { copies: 2 } },
  ]);
});

test("deny declines where no is an answer", () => {
  const ask = asked(["backup"]);
  expect(ask.answer(readVerdict("deny", ask.request)!)).toEqual({ action: "decline" });
});
