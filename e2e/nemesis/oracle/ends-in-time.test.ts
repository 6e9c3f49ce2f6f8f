import { expect, test } from "vitest";
import { endsInTime } from "./ends-in-time.ts";
import { clientTurn, evidence, journalTurn } from "./histories.ts";

const deadlines = { turnMs: 1_000, patienceMs: 2_000 };

test("ends at their deadlines are in time", () => {
  const journal = [journalTurn("t1", { acceptedAt: 0, endedAt: 1_000 })];
  const clients = [clientTurn("w1.s1.1", { at: 0, endedAt: 2_000 })];
  expect(endsInTime(evidence({ journal, clients, deadlines }))).toEqual([]);
});

test("ends after their deadlines violate I7", () => {
  const journal = [journalTurn("t1", { acceptedAt: 0, endedAt: 1_001 })];
  const clients = [clientTurn("w1.s1.1", { at: 0, endedAt: 2_001 })];
  expect(endsInTime(evidence({ journal, clients, deadlines }))).toMatchObject([
    { invariant: "I7", subject: "t1" },
    { invariant: "I7", subject: "w1.s1.1" },
  ]);
});
