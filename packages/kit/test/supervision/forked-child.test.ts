import { pathToFileURL } from "node:url";
import type { ChildMessage } from "@synthesis/protocol";
import { expect, test, vi } from "vitest";
import { eventually, expectClean, fixtures, liveProcess } from "../../../testkit/src/index.ts";
import type { Logger } from "../../src/logger.ts";
import { pidsMarked } from "../../src/process-mark.ts";
import { ForkedChild } from "../../src/supervision/forked-child.ts";
import type { ListeningHandle } from "../../src/supervision/listening-handle.ts";
import { orderWith } from "../support/fork-order.ts";

expectClean();
vi.setConfig({ testTimeout: 20_000, hookTimeout: 20_000 }); // real processes on a busy machine

const done = { code: "done", message: "the test is over" };

test("it is ready when it says so, answers pings, and ends when asked", async () => {
  const heard: ChildMessage[] = [];
  const child = new ForkedChild(orderWith({}, heard));
  await child.ready;
  expect(liveProcess(child.pid!)).toBeDefined();
  const ready = { type: "ready", endpoint: { url: "http://example.invalid", port: 80 } };
  expect(heard).toEqual([{ type: "pong" }, ready]);
  child.send({ type: "ping" });
  await eventually(() => expect(heard.slice(2)).toEqual([{ type: "pong" }]));
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

test("one that hangs while it starts is killed as soon as one that serves", async () => {
  const child = new ForkedChild(orderWith({ configuration: { start: "hang" }, silentMs: 200 }));
  expect(await child.closed).toEqual({ code: "hung", message: "no answer for 200 ms" });
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

/** A logger that notes the events of each line. */
function eventLog(): { readonly log: Logger; readonly events: string[] } {
  const events: string[] = [];
  const note = (event: string) => void events.push(event);
  const log: Logger = { debug: note, info: note, warn: note, error: note, child: () => log };
  return { log, events };
}

test("one whose event loop hangs is reported, then killed", async () => {
  const { log, events } = eventLog();
  const child = new ForkedChild(orderWith({ silentMs: 200, log }));
  await child.ready;
  expect(child.isResponsive).toBe(true);
  child.send({ type: "evict" }); // the fixture blocks its loop
  expect(await child.closed).toEqual({ code: "hung", message: "no answer for 200 ms" });
  expect(child.isResponsive).toBe(false);
  expect(events).toEqual(["child.unresponsive", "child.exited"]);
});

test("one that answers again after it was reported lives on", async () => {
  const { log, events } = eventLog();
  const child = new ForkedChild(orderWith({ silentMs: 3_000, log }));
  await child.ready;
  process.kill(child.pid!, "SIGSTOP");
  await eventually(() => expect(child.isResponsive).toBe(false));
  process.kill(child.pid!, "SIGCONT");
  await eventually(() => expect(child.isResponsive).toBe(true));
  await child.close(done);
  expect(events).toEqual(["child.unresponsive", "child.responsive", "child.exited"]);
});

test("one that drains longer than allowed is killed closeMs after that", async () => {
  const child = new ForkedChild(
    orderWith({ configuration: { drain: "never", close: "never" }, closeMs: 50, silentMs: 60_000 }),
  );
  await child.ready;
  await child.close(done, 100);
  expect(liveProcess(child.pid!)).toBeUndefined();
});

test("a second close cuts the drain of the first", async () => {
  const child = new ForkedChild(orderWith({ configuration: { drain: "never" } }));
  await child.ready;
  const draining = child.close(done, 3_600_000);
  await child.close({ code: "cut", message: "now" });
  await draining;
  expect(await child.closed).toEqual(done);
});

test("its mark is the one it was given, also for what it starts", async () => {
  const mark = `test-${process.pid}-forked/1`;
  const child = new ForkedChild(orderWith({ mark }));
  await child.ready;
  expect(pidsMarked(mark)).toEqual([child.pid]);
  await child.close(done);
});

test("a socket that one made outlives it: connections wait in it for the next one", async () => {
  let listening: ListeningHandle | undefined;
  let port = 0;
  const first = new ForkedChild(
    orderWith({
      configuration: { start: "listen" },
      onMessage: (message, handle) => {
        listening ??= handle;
        if (message.type === "ready") port = message.endpoint?.port ?? 0;
      },
    }),
  );
  await first.ready;
  expect(await (await fetch(`http://127.0.0.1:${port}`)).text()).toBe(String(first.pid));
  first.kill(done);
  await first.closed;
  const waiting = fetch(`http://127.0.0.1:${port}`);
  const second = new ForkedChild(orderWith({ listening }));
  await second.ready;
  expect(await (await waiting).text()).toBe(String(second.pid));
  await second.close(done);
  listening?.close();
  await expect(fetch(`http://127.0.0.1:${port}`)).rejects.toThrow("fetch failed");
});

test("one that cannot serve as configured says why and ends", async () => {
  const heard: ChildMessage[] = [];
  const child = new ForkedChild(orderWith({ configuration: { start: "unusable" } }, heard));
  expect(await child.closed).toEqual({ code: "exited", message: "exit code 1" });
  expect(heard).toContainEqual({ type: "unusable", message: "it cannot serve: choose another" });
});
