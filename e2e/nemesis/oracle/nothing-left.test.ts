import { expect, test } from "vitest";
import { evidence, faultAt } from "./histories.ts";
import { nothingLeft } from "./nothing-left.ts";

const clean = { exitCode: 0, isBusy: false, processes: [], files: [] };
const kill = { kind: "kill", role: "worker" } as const;

test("a run after which nothing is left leaves nothing", () => {
  expect(nothingLeft(evidence({ faults: [faultAt(1, kill)] }))).toEqual([]);
});

test.for([
  { what: "an exit code", remains: { ...clean, exitCode: 1 } },
  { what: "turns without a client", remains: { ...clean, isBusy: true } },
  { what: "a process", remains: { ...clean, processes: ["claude (pid 7)"] } },
  { what: "a socket", remains: { ...clean, files: ["/run/w-1.sock"] } },
])("$what that is left violates I6", ({ remains }) => {
  expect(nothingLeft(evidence({ remains }))).toMatchObject([{ invariant: "I6" }]);
});

test("an orphan violates I6", () => {
  const faults = [faultAt(1, kill, { target: "worker of w1", remains: ["pid 7 (claude) lives on"] })];
  expect(nothingLeft(evidence({ faults }))).toMatchObject([{ subject: "worker of w1" }]);
});
