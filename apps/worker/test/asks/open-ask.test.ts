import { randomUUID } from "node:crypto";
import type { AskSettlement } from "@synthesis/protocol";
import { expectClean } from "@synthesis/testkit";
import { expect, test } from "vitest";
import { OpenAsk } from "../../src/asks/open-ask.ts";

expectClean();

function open(always: string[] = []) {
  const settled: AskSettlement[] = [];
  const askedAt = Date.now();
  const ask = new OpenAsk({
    info: {
      id: randomUUID(),
      turn: randomUUID(),
      session: "s",
      agent: "a",
      kind: "permission",
      tool: "Bash",
      title: "Bash",
      input: "{}",
      always,
      askedAt,
      deadlineAt: askedAt + 60_000,
    },
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
  const { ask, settled } = open(["Bash"]);
  ask.settle({ behavior: "deny" }, "deadline");
  expect(() => ask.answer({ behavior: "always" }, "api")).toThrow("deny, by deadline");
  expect(settled).toHaveLength(1);
  expect((await ask.verdict).message).toContain("did not answer within 60000 ms");
});
