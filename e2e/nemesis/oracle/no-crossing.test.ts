import { expect, test } from "vitest";
import { attempt, clientTurn, evidence, ledgerOf } from "./histories.ts";
import { noCrossing } from "./no-crossing.ts";

const canary = "w1.s1.1";

test("sessions that see only their own are not crossed", () => {
  const clients = [clientTurn(canary), clientTurn("w1.s2.1")];
  const ledger = [...ledgerOf(canary), ...ledgerOf("w1.s2.1"), ...ledgerOf("w1.s1.2")];
  expect(noCrossing(evidence({ clients, ledger }))).toEqual([]);
});

test("text of another turn, even of the same session, violates I4", () => {
  const clients = [clientTurn(canary, { attempts: [attempt(canary, { text: "[w1.s1.2 1/3]" })] })];
  expect(noCrossing(evidence({ clients }))).toMatchObject([
    { invariant: "I4", subject: canary, message: expect.stringContaining("w1.s1.2") },
  ]);
});

test.for([
  { what: "an agent of another workspace", line: { workspace: "w2" }, message: "workspace w2" },
  { what: "the process of another session", line: { process: "w1.s2-1" }, message: "session w1.s2" },
  { what: "the turn of another prompt", line: { turn: "t-w1.s2.1" }, message: "that of w1.s2.1" },
])("a prompt that reaches $what violates I4", ({ line, message }) => {
  const ledger = [...ledgerOf("w1.s2.1"), ...ledgerOf(canary, line)];
  expect(noCrossing(evidence({ ledger }))).toMatchObject([{ message: expect.stringContaining(message) }]);
});
