import { expect, test } from "vitest";
import { statesBefore, type TurnState } from "../../src/turn/turn-state.ts";

const states = ["accepted", "started", "completed", "failed", "cancelled", "interrupted"] as const;
const legal = new Set([
  "accepted -> started",
  "accepted -> failed",
  "accepted -> cancelled",
  "accepted -> interrupted",
  "started -> completed",
  "started -> failed",
  "started -> cancelled",
  "started -> interrupted",
]);

const edges = states.flatMap((from) => states.map((to) => ({ from, to, edge: `${from} -> ${to}` })));

test.for(edges.map(({ from, to, edge }) => ({ from, to, edge, word: legal.has(edge) ? "is" : "is not" })))(
  "$edge $word an edge",
  ({ from, to, edge }: { from: TurnState; to: TurnState; edge: string }) => {
    expect(statesBefore(to).includes(from)).toBe(legal.has(edge));
  },
);
