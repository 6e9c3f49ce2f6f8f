import { pathToFileURL } from "node:url";
import type { ChildMessage } from "@synthesis/protocol";
import { expect, test, vi } from "vitest";
import { eventually, expectClean, fixtures, liveProcess } from "../../../testkit/src/index.ts";
import { ForkedChild } from "../../src/supervision/forked-child.ts";
import { orderWith } from "../support/fork-order.ts";

expectClean();
vi.setConfig({ testTimeout: 20_000, hookTimeout: 20_000 }); // real processes on a busy machine

const done = { code: "done", message: "the test is over" };

test("it is ready when it says so, answers pings, and ends when asked", async () => {
  const heard: ChildMessage[] = [];
  const child = new ForkedChild(orderWith({}, heard));
  await child.ready;
  expect(liveProcess(child.pid!)).toBeDefined();
  expect(heard).toEqual([{ type: "ready", endpoint: { url: "http://example.invalid", port: 80 } }]);
  child.send({ type: "ping" });
  await eventually(() => expect(heard.at(-1)).toEqual({ type: "pong" }));
  await child.close(done);
  expect(await child.closed).toEqual(done);
  expect(liveProcess(child.pid!)).toBeUndefined();
});

test("close is idempotent, and the first reason is the one that is reported", async () => {
  const child = new ForkedChild(orderWith());
  await child.ready;
  await Promise.all([child.close(done), child.close({ code: "late", message: "too late" })]);
  await child.close({ code: "later", message: "far too late" });
  expect(await child.closed).toEqual(done);
});

test("one that dies before it is ready rejects `ready` and says how it ended", async () => {
  const child = new ForkedChild(orderWith({ configuration: { start: "die" } }));
  await expect(child.ready).rejects.toThrow("ended before it was ready: exit code 3");
  expect(await child.closed).toEqual({ code: "exited", message: "exit code 3" });
});

test("one that is not ready in time is killed", async () => {
  const child = new ForkedChild(orderWith({ configuration: { start: "never" }, startMs: 50 }));
  expect(await child.closed).toEqual({ code: "start_timeout", message: "not ready within 50 ms" });
});

test("one that was killed by somebody else says by which signal", async () => {
  const child = new ForkedChild(orderWith());
  await child.ready;
  process.kill(child.pid!, "SIGKILL");
  expect(await child.closed).toEqual({ code: "exited", message: "SIGKILL" });
});

test("one that does not end when asked is killed after closeMs", async () => {
  const child = new ForkedChild(orderWith({ configuration: { close: "never" }, closeMs: 50 }));
  await child.ready;
  await child.close(done);
  expect(await child.closed).toEqual(done);
});

test("one that ignores SIGTERM and the end of its channel is killed all the same", async () => {
  const entry = pathToFileURL(fixtures.ignoresSigterm).href;
  const child = new ForkedChild(orderWith({ entry, closeMs: 50 }));
  await child.ready;
  await child.close(done);
  expect(liveProcess(child.pid!)).toBeUndefined();
});

test("one whose event loop hangs is killed", async () => {
  const child = new ForkedChild(orderWith({ silentMs: 200 }));
  await child.ready;
  child.send({ type: "evict" }); // the fixture blocks its loop
  expect(await child.closed).toEqual({ code: "hung", message: "no answer for 200 ms" });
});

test("one that cannot serve as configured says why and ends", async () => {
  const heard: ChildMessage[] = [];
  const child = new ForkedChild(orderWith({ configuration: { start: "unusable" } }, heard));
  expect(await child.closed).toEqual({ code: "exited", message: "exit code 1" });
  expect(heard).toEqual([{ type: "unusable", message: "it cannot serve: choose another" }]);
});
