import { randomUUID } from "node:crypto";
import type { AskSettlement } from "@synthesis/protocol";
import { expectClean } from "@synthesis/testkit";
import { expect, test } from "vitest";
import { OpenAsk } from "../../src/asks/open-ask.ts";

expectClean();

interface Asked extends Partial<Omit<OpenAsk["info"], "input">> {
  readonly input?: Record<string, unknown>;
}

function open({ always = [], input = {}, ...more }: Asked = {}) {
  const settled: AskSettlement[] = [];
  const ask = new OpenAsk({
    info: {
      id: randomUUID(),
      turn: randomUUID(),
      session: "s",
      agent: "a",
      kind: "permission",
      tool: "Bash",
      title: "Bash",
      always,
      ...more,
    },
    input,
    deadlineMs: 60_000,
    caller: "c",
    ways: ["api"],
    onSettled: (settlement) => settled.push(settlement),
  });
  return { ask, settled };
}

test("the first verdict is the only one, whoever comes later", async () => {
  const { ask, settled } = open();
  const first = ask.answer({ behavior: "allow" }, "api");
  for (const by of ["deadline", "agent", "drain"] as const)
    expect(ask.settle({ behavior: "deny" }, by)).toBe(first);
  expect(() => ask.answer({ behavior: "deny" }, "api")).toThrow("the ask has its verdict: allow, by api");
  expect([settled, ask.isOpen]).toEqual([[first], false]);
  expect(await ask.verdict).toEqual({ behavior: "allow" });
});

test("a person's verdict after the deadline's hears of that", async () => {
  const { ask, settled } = open({ always: ["Bash"] });
  ask.settle({ behavior: "deny" }, "deadline");
  expect(() => ask.answer({ behavior: "always" }, "api")).toThrow("deny, by deadline");
  expect(settled).toHaveLength(1);
  expect((await ask.verdict).message).toContain("did not answer within 60000 ms");
});

test.each([
  ["chat", "the user was asked and said no: not on a Sunday"],
  ["api", "the user was asked and said no: not on a Sunday"],
] as const)("the reason of a no by %s is told as the user's", async (by, told) => {
  const { ask } = open();
  ask.say({ behavior: "deny", message: "not on a Sunday" }, by);
  expect(await ask.verdict).toEqual({ behavior: "deny", message: told });
});

test("of a long input the beginning and the end are told, and the whole is kept", () => {
  const input = { command: `true ${"x".repeat(20_000)}; touch HIDDEN\u202E` };
  const { ask } = open({ input });
  const { input: short, inputLeftOut = 0 } = ask.info;
  expect(short).toMatch(/^\{"command":"true x+…x+; touch HIDDEN\\u202e"\}$/);
  expect(short.length - 1 + inputLeftOut).toBe(ask.whole.input.length);
  expect(JSON.parse(ask.whole.input)).toEqual(input);
  expect(ask.whole).not.toHaveProperty("inputLeftOut");
  const other = open({ input: { a: 1 } }).ask;
  expect(other.info).not.toHaveProperty("inputLeftOut");
  for (const each of [ask, other]) each.settle({ behavior: "deny" }, "agent");
});

const choice = (question: string) => ({ question, options: [{ label: "Red" }], isMultiple: false });

test("every question wants an answer; of what a server wants to know, one will do", async () => {
  const questions = [choice("Colour?"), choice("Size?")];
  const { ask } = open({ kind: "question", questions });
  const lacking = (...names: string[]) =>
    new RegExp(`wants an answer to ${names.map((name) => `"${name}\\?"`).join(" and ")}: `);
  expect(() => ask.answer({ behavior: "allow" }, "api")).toThrow(lacking("Colour", "Size"));
  expect(() => ask.answer({ behavior: "allow", message: "Red" }, "api")).toThrow(lacking("Colour", "Size"));
  expect(() => ask.answer({ behavior: "allow", answers: { "Size?": "L" } }, "api")).toThrow(
    lacking("Colour"),
  );
  expect(() => ask.answer({ behavior: "deny", answers: { Other: "x" } }, "api")).toThrow(
    'no question "Other"',
  );
  expect(ask.isOpen).toBe(true);
  ask.answer({ behavior: "allow", message: "red\nL" }, "api");
  expect((await ask.verdict).message).toBe("red\nL");

  const input = open({ kind: "input", questions }).ask;
  input.answer({ behavior: "allow", answers: { "Size?": "L" } }, "api");
  expect(input.isOpen).toBe(false);
  const permission = open().ask;
  expect(() => permission.answer({ behavior: "allow", answers: { "Size?": "L" } }, "api")).toThrow(
    "no question",
  );
  expect(permission.answer({ behavior: "allow" }, "api").behavior).toBe("allow");
});
