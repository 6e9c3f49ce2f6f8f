import { expect, test } from "vitest";
import { attempt, clientTurn, evidence, failure, journalTurn, ledgerOf } from "./histories.ts";
import { oneStart } from "./one-start.ts";

const canary = "w1.s1.1";

test("one start for each turn, and for a turn that is resumed one more by the next process", () => {
  const clients = [clientTurn(canary)];
  expect(oneStart(evidence({ clients, ledger: ledgerOf(canary) }))).toEqual([]);
  const ledger = [...ledgerOf(canary, { until: 1 }), ...ledgerOf(canary, { process: "next" })];
  expect(oneStart(evidence({ clients, ledger, resumable: new Set(["w1"]) }))).toEqual([]);
});

test("without a key a turn that was cut may be asked again as another one", () => {
  const ledger = [...ledgerOf(canary, { until: 1 }), ...ledgerOf(canary, { process: "next", turn: "t-2" })];
  expect(oneStart(evidence({ clients: [clientTurn(canary, { keyed: false })], ledger }))).toEqual([]);
  expect(oneStart(evidence({ clients: [clientTurn(canary)], ledger }))).toMatchObject([
    { invariant: "I2", subject: canary, message: expect.stringContaining("t-w1.s1.1, t-2") },
  ]);
});

test("with a key, a turn that failed before its client was told anything may be run anew, and no other", () => {
  const journal = [journalTurn("t-2", { state: "failed" }), journalTurn(`t-${canary}`)];
  const ledger = [...ledgerOf(canary, { until: 1, turn: "t-2" }), ...ledgerOf(canary)];
  const after = (text: string) => [
    clientTurn(canary, {
      attempts: [attempt(canary, { turn: "t-2", text, outcome: failure("stall_timeout") }), attempt(canary)],
    }),
  ];
  expect(oneStart(evidence({ clients: after(""), ledger, journal }))).toEqual([]);
  expect(oneStart(evidence({ clients: after("one"), ledger, journal }))).toHaveLength(1);
});

test.for([
  { what: "a second start by another process", again: { process: "next" }, resumable: [] },
  { what: "a second start by the same process", again: {}, resumable: ["w1"] },
])("$what violates I2", ({ again, resumable }) => {
  const ledger = [...ledgerOf(canary, { until: 1 }), ...ledgerOf(canary, again)];
  const found = oneStart(evidence({ clients: [clientTurn(canary)], ledger, resumable: new Set(resumable) }));
  expect(found).toMatchObject([{ invariant: "I2", subject: canary }]);
});

test("an answer that no agent gave violates I2", () => {
  expect(oneStart(evidence({ clients: [clientTurn(canary)] }))).toMatchObject([{ subject: canary }]);
});
