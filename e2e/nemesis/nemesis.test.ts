import { expectClean } from "@synthesis/testkit";
import { expect, test } from "vitest";
import { NemesisRun } from "./run/nemesis-run.ts";

expectClean();

test("while processes are killed, stopped and cut off, no turn is lost, doubled, reordered or crossed", async () => {
  const lines: string[] = [];
  const run = new NemesisRun(
    // Orphans are given long: the machine may be busy, and how long they take is not what this looks at.
    { seed: 20, kills: 14, minutes: 1, workspaces: 4, sessions: 2, real: 0, orphanMs: 10_000, keep: false },
    (line) => lines.push(line),
  );
  const { evidence, violations, kills } = await run.run();
  expect(violations, lines.join("\n")).toEqual([]);
  expect(kills).toBeGreaterThan(0);
  expect(evidence.clients.length).toBeGreaterThan(20);
}, 120_000);
