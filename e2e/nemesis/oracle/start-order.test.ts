import { expect, test } from "vitest";
import { attempt, clientTurn, evidence, journalTurn, ledgerOf } from "./histories.ts";
import { startOrder } from "./start-order.ts";

const [first, second] = ["w1.s1.1", "w1.s1.2"] as const;
const journal = [journalTurn(`t-${first}`), journalTurn(`t-${second}`)];
const inOrder = [...ledgerOf(first), ...ledgerOf(second)];
const swapped = [...ledgerOf(second), ...ledgerOf(first)];

test("turns that start in the order of their acceptance are in order, and sessions do not wait for each other", () => {
  expect(startOrder(evidence({ journal, ledger: inOrder }))).toEqual([]);
  const apart = [journal[0], journalTurn("t-w1.s2.1", { session: "ses_2" })].flatMap((row) => row ?? []);
  expect(
    startOrder(evidence({ journal: apart, ledger: [...ledgerOf("w1.s2.1"), ...ledgerOf(first)] })),
  ).toEqual([]);
});

test("a turn that overtakes one accepted before it violates I3", () => {
  expect(startOrder(evidence({ journal, ledger: swapped }))).toMatchObject([
    { invariant: "I3", message: "turn t-w1.s1.2 was accepted after t-w1.s1.1 and started before it" },
  ]);
});

test("a turn that overtakes one whose admission its client had seen violates I3, unless one was posted again", () => {
  const clients = [clientTurn(first), clientTurn(second, { at: 115 })];
  expect(startOrder(evidence({ clients, ledger: inOrder }))).toEqual([]);
  expect(startOrder(evidence({ clients, ledger: swapped }))).toMatchObject([{ subject: "w1.s1" }]);
  const again = [clientTurn(first, { attempts: [attempt(first), attempt(first)] }), ...clients.slice(1)];
  expect(startOrder(evidence({ clients: again, ledger: swapped }))).toEqual([]);
});

test("two turns of a session at once violate I3", () => {
  const [taken, ...rest] = ledgerOf(first);
  const ledger = [...(taken === undefined ? [] : [taken]), ...ledgerOf(second), ...rest];
  expect(startOrder(evidence({ ledger }))).toMatchObject([
    { message: "w1.s1.1 goes on after w1.s1.2 has begun" },
  ]);
});
