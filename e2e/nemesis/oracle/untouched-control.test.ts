import { expect, test } from "vitest";
import { attempt, clientTurn, evidence, failure, faultAt } from "./histories.ts";
import { untouchedControl } from "./untouched-control.ts";

const canary = "w8.s1.1";
const control = new Set(["w8"]);
const at = { at: 10_000, endedAt: 10_100 };
const failed = clientTurn(canary, {
  ...at,
  attempts: [attempt(canary, { outcome: failure("turn_interrupted") })],
});

test("a control group that is answered, or disturbed by what all share, is well", () => {
  expect(untouchedControl(evidence({ clients: [clientTurn(canary, at)], control }))).toEqual([]);
  const faults = [faultAt(9_000, { kind: "kill", role: "supervisor" })];
  expect(untouchedControl(evidence({ clients: [failed], faults, control }))).toEqual([]);
  expect(untouchedControl(evidence({ clients: [failed], control: new Set(["w7"]) }))).toEqual([]);
});

test.for([
  { what: "at all", faults: [] },
  { what: "but to another workspace", faults: [faultAt(9_000, { kind: "kill", role: "worker" })] },
  { what: "for a long while", faults: [faultAt(1_000, { kind: "kill", role: "gateway" })] },
  {
    what: "for there was no target",
    faults: [{ at: 9_000, fault: { kind: "kill", role: "gateway" } as const, remains: [] }],
  },
])("an error in the control group when nothing was done $what violates I8", ({ faults }) => {
  expect(untouchedControl(evidence({ clients: [failed], faults, control }))).toMatchObject([
    { invariant: "I8", subject: canary, message: expect.stringContaining("turn_interrupted") },
  ]);
});
