import { expect, test } from "vitest";
import { RestartBudget } from "../../src/supervision/restart-budget.ts";

function delays(budget: RestartBudget, count: number): number[] {
  return Array.from({ length: count }, () => budget.nextDelayMs());
}

test("the first restart is immediate, the next ones wait longer and longer, with jitter", () => {
  const pauses = delays(new RestartBudget({ restarts: 5, restartPauseMs: 30_000 }), 6);
  expect(pauses[0]).toBe(0);
  for (const [index, full] of [100, 200, 400, 800, 1600].entries()) {
    expect(pauses[index + 1]).toBeGreaterThanOrEqual(full / 2);
    expect(pauses[index + 1]).toBeLessThanOrEqual(full);
  }
});

test("no pause is longer than 30 s", () => {
  const [last] = delays(new RestartBudget({ restarts: 5, restartPauseMs: 30_000 }), 2000).slice(-1);
  expect(last).toBeGreaterThanOrEqual(15_000);
  expect(last).toBeLessThanOrEqual(30_000);
});

test("five deaths in a row spend it, and serving once refills it", () => {
  const budget = new RestartBudget({ restarts: 5, restartPauseMs: 30_000 });
  delays(budget, 4);
  expect(budget.isSpent).toBe(false);
  budget.nextDelayMs();
  expect(budget.isSpent).toBe(true);
  budget.refill();
  expect(budget.isSpent).toBe(false);
  expect(budget.nextDelayMs()).toBe(0);
});
