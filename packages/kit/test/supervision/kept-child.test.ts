import { setImmediate } from "node:timers/promises";
import { afterEach, expect, test, vi } from "vitest";
import { eventually, expectClean } from "../../../testkit/src/index.ts";
import type { CloseReason } from "../../src/close-reason.ts";
import type { Logger } from "../../src/logger.ts";
import { ForkedChild, type ForkOrder } from "../../src/supervision/forked-child.ts";
import { KeptChild, type KeptChildOptions } from "../../src/supervision/kept-child.ts";
import { sleep } from "../../src/deadline.ts";
import { orderWith, quiet } from "../support/fork-order.ts";

expectClean();
vi.setConfig({ testTimeout: 20_000, hookTimeout: 20_000 }); // real processes on a busy machine

const done = { code: "done", message: "the test is over" };
let kept: KeptChild | undefined;
afterEach(async () => kept?.close(done));

/** A kept child whose generations are forked as `orders` says, the last one again and again. */
function keep(orders: readonly Partial<ForkOrder>[], options: Partial<KeptChildOptions> = {}) {
  const gone: CloseReason[] = [];
  let generation = 0;
  kept = new KeptChild({
    title: "the fixture",
    limits: { startMs: 10_000, restarts: 5, restartPauseMs: 30_000 },
    log: quiet,
    fork: () => new ForkedChild(orderWith(orders[Math.min(generation++, orders.length - 1)])),
    onGone: (reason) => gone.push(reason),
    ...options,
  });
  return { child: kept, gone };
}

test("C-1: starting -> serving: it serves when its child is ready", async () => {
  const { child } = keep([{}]);
  expect(child.state).toBe("starting");
  await child.whenServing();
  expect(child.state).toBe("serving");
  expect(child.restarts).toBe(0);
});

test("serving -> starting: a killed child is replaced at once, and who waits gets the next one", async () => {
  const { child, gone } = keep([{}]);
  await child.whenServing();
  const first = child.pid!;
  process.kill(first, "SIGKILL");
  await eventually(() => expect(child.state).not.toBe("serving"));
  await child.whenServing();
  expect(child.pid).not.toBe(first);
  expect(child.restarts).toBe(1);
  expect(gone).toEqual([{ code: "exited", message: "SIGKILL" }]);
});

test("one that dies as soon as it serves is paused for, longer each time", async () => {
  const delays: unknown[] = [];
  const log: Logger = {
    ...quiet,
    warn: (event, fields) => event === "child.restarting" && delays.push(fields?.["delayMs"]),
    child: () => log,
  };
  const { child } = keep([{}], { log });
  for (let death = 1; death <= 3; death += 1) {
    await child.whenServing();
    process.kill(child.pid!, "SIGKILL");
    await eventually(() => expect(delays).toHaveLength(death));
  }
  const [first, second, third] = delays as number[];
  expect(first).toBe(0);
  expect(second).toBeGreaterThanOrEqual(50);
  expect(third).toBeGreaterThanOrEqual(100);
});

test("who asks for one that serves is never told that it keeps dying", async () => {
  const { child } = keep([{}], { limits: { startMs: 10_000, restarts: 1, restartPauseMs: 30_000 } });
  await child.whenServing();
  process.kill(child.pid!, "SIGKILL");
  await eventually(() => expect([child.restarts, child.state]).toEqual([1, "serving"]));
  await child.whenServing();
});

test("who waits during deaths at the start is served by the first generation that gets ready", async () => {
  const { child, gone } = keep([
    { configuration: { start: "die" } },
    { configuration: { start: "die" } },
    {},
  ]);
  await child.whenServing();
  expect(child.restarts).toBe(2);
  expect(gone.map(({ message }) => message)).toEqual(["exit code 3", "exit code 3"]);
});

test("one that keeps dying at its start is reported as unavailable, without waiting on", async () => {
  const { child, gone } = keep([{ configuration: { start: "die" } }]);
  await eventually(() => expect(gone).toHaveLength(5), 10_000);
  await expect(child.whenServing()).rejects.toMatchObject({
    error: {
      code: "worker_unavailable",
      message: expect.stringContaining("the fixture keeps dying") as string,
    },
  });
});

test("who waits while it keeps dying is told so as soon as its budget is spent", async () => {
  const dying = { configuration: { start: "die" } };
  const { child } = keep([dying], { limits: { startMs: 60_000, restarts: 2, restartPauseMs: 30_000 } });
  await expect(child.whenServing()).rejects.toThrow("the fixture keeps dying");
});

test("who waits for a start that takes too long is told so", async () => {
  const { child } = keep([{ configuration: { start: "never" } }], {
    limits: { startMs: 20, restarts: 5, restartPauseMs: 30_000 },
  });
  await expect(child.whenServing()).rejects.toMatchObject({
    error: {
      code: "worker_unavailable",
      message: "the fixture did not start within 20 ms",
      retryAfterMs: 5000,
    },
  });
  kept?.child.kill(done);
});

test("C-2: a hung child is killed and replaced", async () => {
  const { child, gone } = keep([{ silentMs: 200 }, {}]);
  await child.whenServing();
  child.child.send({ type: "evict" }); // the fixture blocks its loop
  await eventually(() => expect(gone.map(({ code }) => code)).toEqual(["hung"]));
  await child.whenServing();
});

test("a steady service ends the row of deaths, and the death that ends it is not counted", async () => {
  const dying = { configuration: { start: "die" } };
  const { child, gone } = keep([dying, {}, dying, {}], {
    limits: { startMs: 10_000, restarts: 2, restartPauseMs: 30_000 },
  });
  await child.whenServing();
  await sleep(1_100); // what counts as steady
  process.kill(child.pid!, "SIGKILL");
  await eventually(() => expect(child.state).not.toBe("serving"));
  await child.whenServing(); // with two deaths in a row it would be refused
  expect(gone).toHaveLength(3);
});

test("pausing -> failing: who asks for one that keeps dying is told when it is tried next; then it may serve", async () => {
  const dying = { configuration: { start: "die" } };
  const { child } = keep([dying, dying, {}], {
    limits: { startMs: 10_000, restarts: 2, restartPauseMs: 30_000 },
  });
  await expect(child.whenServing()).rejects.toMatchObject({
    error: { code: "worker_unavailable", retryAfterMs: 1_000 },
  });
  expect(child.state).toBe("failing");
  expect(child.nextAttemptMs).toBeGreaterThan(0);
  await eventually(() => expect(child.state).toBe("serving")); // tried by itself: half-open
  await child.whenServing();
  expect(child.nextAttemptMs).toBeUndefined();
});

test("serving -> unresponsive -> serving: one that is silent for a while", async () => {
  const { child } = keep([{ silentMs: 3_000 }]);
  await child.whenServing();
  process.kill(child.pid!, "SIGSTOP");
  await eventually(() => expect(child.state).toBe("unresponsive"));
  process.kill(child.pid!, "SIGCONT");
  await eventually(() => expect(child.state).toBe("serving"));
  expect(child.restarts).toBe(0);
});

test("serving -> draining -> starting -> serving: a restart drains the old one before it forks the next", async () => {
  const { child, gone } = keep([{ configuration: { drain: "never" } }, {}]);
  await child.whenServing();
  const old = child.pid!;
  const restarted = child.restart(done, 3_600_000);
  expect(child.state).toBe("draining");
  const waiting = child.whenServing(); // for the next generation
  await sleep(100);
  expect([child.state, child.pid]).toEqual(["draining", old]);
  await child.restart({ code: "again", message: "now" }, 0); // the same restart; the earliest end counts
  await Promise.all([restarted, waiting]);
  expect(gone).toEqual([done]);
  expect(child.state).toBe("serving");
  expect(child.pid).not.toBe(old);
  expect(child.restarts).toBe(0);
});

test("who waits for the next generation may wait as long as the drain of the old one and a start", async () => {
  const { child } = keep([{ configuration: { drain: "never" } }, {}], {
    limits: { startMs: 500, restarts: 5, restartPauseMs: 30_000 },
  });
  await eventually(() => expect(child.state).toBe("serving"));
  const restarted = child.restart(done, 700);
  await child.whenServing();
  await restarted;
});

test("failing -> starting: a restart does not wait for the pause, and starts with a full budget", async () => {
  const dying = { configuration: { start: "die" } };
  const { child } = keep([dying, dying, dying, dying, {}], {
    limits: { startMs: 10_000, restarts: 4, restartPauseMs: 30_000 },
  });
  await expect(child.whenServing()).rejects.toThrow("keeps dying");
  const restarted = child.restart(done, 0);
  await setImmediate();
  expect(child.state).toBe("starting");
  await restarted;
  expect(child.state).toBe("serving");
});

test("starting -> draining -> starting: one that has not served yet is not waited for", async () => {
  const { child } = keep([{ configuration: { start: "never" }, closeMs: 50 }, {}]);
  const waiting = child.whenServing();
  await child.restart(done, 3_600_000);
  await waiting;
  expect(child.state).toBe("serving");
});

test("a restart whose next generation keeps dying is reported", async () => {
  const { child } = keep([{}, { configuration: { start: "die" } }], {
    limits: { startMs: 10_000, restarts: 2, restartPauseMs: 30_000 },
  });
  await child.whenServing();
  await expect(child.restart(done, 0)).rejects.toThrow("the fixture keeps dying");
});

test("serving -> draining -> closed: closing drains too, a second close cuts it, and nothing restarts", async () => {
  const { child, gone } = keep([{ configuration: { drain: "never" } }]);
  await child.whenServing();
  const closing = child.close(done, 3_600_000);
  expect(child.state).toBe("draining");
  await expect(child.whenServing()).rejects.toMatchObject({ error: { code: "shutting_down" } });
  await expect(child.restart(done, 0)).rejects.toMatchObject({ error: { code: "shutting_down" } });
  await sleep(200);
  expect(gone).toEqual([]); // the restart that was refused cut nothing
  await child.close({ code: "cut", message: "now" });
  await closing;
  expect(child.state).toBe("closed");
  expect(gone).toEqual([done]);
});

test("serving -> closed: the child is gone, nothing restarts, closing again is nothing", async () => {
  const { child, gone } = keep([{}]);
  await child.whenServing();
  await Promise.all([child.close(done), child.close(done)]);
  await child.close(done);
  expect(child.state).toBe("closed");
  expect(child.pid).toBeUndefined();
  expect(gone).toEqual([done]);
  await expect(child.whenServing()).rejects.toMatchObject({ error: { code: "shutting_down" } });
});

test("starting -> closed: who waits is told at once", async () => {
  const { child } = keep([{ configuration: { start: "never" }, closeMs: 20 }]);
  const waiting = expect(child.whenServing()).rejects.toMatchObject({ error: { code: "shutting_down" } });
  await child.close(done);
  await waiting;
});

test("pausing -> closed: the pause ends with it", async () => {
  const { child, gone } = keep([{ configuration: { start: "die" } }]);
  await eventually(() => expect(gone.length).toBeGreaterThan(2));
  await eventually(() => expect(child.state).toBe("pausing"));
  await child.close(done);
  expect(child.restarts).toBeLessThanOrEqual(gone.length);
});
