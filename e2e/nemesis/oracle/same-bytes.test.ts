import { expect, test } from "vitest";
import { answerParts, answerTo } from "../conversation/answer.ts";
import type { Outcome } from "../client/client-turn.ts";
import { attempt, clientTurn, evidence, ledgerOf, orderOf } from "./histories.ts";
import { sameBytes } from "./same-bytes.ts";

const canary = "w1.s1.1";
const [one = "", two = "", three = ""] = answerParts(orderOf(canary));
const cut: Outcome = { kind: "cut", why: "reset" };

function judged(text: string, outcome: Outcome, ledger = ledgerOf(canary), resumable: string[] = []) {
  const clients = [clientTurn(canary, { attempts: [attempt(canary, { text, outcome })] })];
  return sameBytes(evidence({ clients, ledger, resumable: new Set(resumable) })).map(
    ({ message }) => message,
  );
}

test("the whole answer, and any beginning of a cut one, is what the agent said", () => {
  expect(judged(answerTo(orderOf(canary)), { kind: "completed" })).toEqual([]);
  expect(judged(one + two.slice(0, 3), cut)).toEqual([]);
  expect(judged("", cut, [])).toEqual([]);
});

test("a resumed answer goes on where the cut one ended", () => {
  const ledger = [...ledgerOf(canary, { until: 2 }), ...ledgerOf(canary, { process: "next" })];
  expect(judged(answerTo(orderOf(canary)), { kind: "completed" }, ledger)).toEqual([]);
});

test("where turns are resumed, the next process's answer may follow the cut one's, and only there", () => {
  const ledger = [...ledgerOf(canary, { until: 2 }), ...ledgerOf(canary, { process: "next" })];
  const continued = `${one}${two}\n\n${answerTo(orderOf(canary))}`;
  expect(judged(continued, { kind: "completed" }, ledger, ["w1"])).toEqual([]);
  expect(judged(`${one}\n\n${one}`, cut, ledger, ["w1"])).toEqual([]);
  expect(judged(continued, { kind: "completed" }, ledger)).toHaveLength(2);
  expect(judged(`${two}\n\n${one}`, cut, ledger, ["w1"])).toHaveLength(1);
  expect(judged(`${one}\n\n${two}`, cut, ledger, ["w1"])).toHaveLength(1);
});

test.for([
  { what: "a gap", text: one + three },
  { what: "a repetition", text: one + one },
  { what: "an exchange", text: two + one },
  { what: "more than was said", text: `${answerTo(orderOf(canary))}.` },
])("$what violates I5", ({ text }) => {
  expect(judged(text, cut)).toEqual([expect.stringContaining("differs from what was said")]);
});

test("an answer that is called complete and is not violates I5", () => {
  expect(judged(one, { kind: "completed" })).toEqual([expect.stringContaining("is called complete with")]);
});

test("event numbers that do not rise violate I5", () => {
  const clients = [clientTurn(canary, { attempts: [attempt(canary, { seqs: [1, 3, 3] })] })];
  expect(sameBytes(evidence({ clients, ledger: ledgerOf(canary) }))).toMatchObject([
    { invariant: "I5", message: "turn t-w1.s1.1: event 3 came after event 3" },
  ]);
});
