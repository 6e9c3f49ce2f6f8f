import { expect, test } from "vitest";
import { evidence, ledgerOf } from "./histories.ts";
import { noStaleOutput } from "./no-stale-output.ts";

const [first, second, third] = ["w1.s1.1", "w1.s1.2", "w1.s1.3"] as const;
const older = { process: "a", epoch: 1 };
const newer = { process: "b", epoch: 2 };

test("a process that another takes the place of is silent from then on", () => {
  const ledger = [...ledgerOf(first, older), ...ledgerOf(second, older), ...ledgerOf(third, newer)];
  expect(noStaleOutput(evidence({ ledger }))).toEqual([]);
});

test("a process that speaks after its successor violates I9", () => {
  const ledger = [
    ...ledgerOf(first, older),
    ...ledgerOf(second, { ...newer, epoch: 1 }),
    ...ledgerOf(third, older),
  ];
  expect(noStaleOutput(evidence({ ledger }))).toMatchObject([
    { invariant: "I9", subject: "w1.s1", message: expect.stringContaining("has taken its place") },
  ]);
});

test("an older epoch that speaks after a newer one violates I9", () => {
  const ledger = [...ledgerOf(first, newer), ...ledgerOf(second, older)];
  expect(noStaleOutput(evidence({ ledger }))).toMatchObject([{ message: "epoch 1 speaks after epoch 2" }]);
});
