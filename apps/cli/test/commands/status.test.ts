import { expect, test } from "vitest";
import { gatewayLine, workerLine } from "../../src/commands/status.ts";

const status = { processes: 2, conns: 1, turns: 1, sessions: 5, unsolicited: 0, memoryBytes: 100 };
const endpoint = { url: "http://127.0.0.1:8787", port: 8787 };

test("a worker that serves", () => {
  expect(workerLine({ workspace: "site", path: "/s", state: "serving", pid: 7, restarts: 1, status })).toBe(
    "site: serving, pid 7, 1 restarts, 2 processes, 1 turns, 5 sessions",
  );
});

test("one that keeps dying, and when it is tried again", () => {
  const failing = { workspace: "site", path: "/s", state: "failing", restarts: 5, nextAttemptMs: 11_200 };
  expect(workerLine(failing)).toBe(
    "site: failing, pid none, 5 restarts, next attempt in 12 s, no report yet",
  );
});

test("a gateway, and the one that it took over from", () => {
  expect(gatewayLine({ state: "serving", pid: 8, restarts: 0, endpoint, drainingPid: 6 })).toBe(
    "gateway: serving, pid 8, 0 restarts, http://127.0.0.1:8787, pid 6 is finishing its answers",
  );
  expect(gatewayLine({ state: "starting", pid: 8, restarts: 0 })).toBe(
    "gateway: starting, pid 8, 0 restarts, not serving yet",
  );
});
