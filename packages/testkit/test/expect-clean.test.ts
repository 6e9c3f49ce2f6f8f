import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";
import { createInterface } from "node:readline";
import { MARK_VARIABLE } from "@synthesis/kit";
import { expect, test } from "vitest";
import {
  assertClean,
  expectClean,
  fixtures,
  liveProcess,
  snapshotResources,
  testMarkPrefix,
} from "../src/index.ts";

expectClean();

test("a child that outlives its test is named and killed", async () => {
  const before = snapshotResources();
  const child = spawn(process.execPath, [fixtures.ignoresSigterm], { stdio: ["ignore", "pipe", "ignore"] });
  const exited = once(child, "exit");
  await once(createInterface({ input: child.stdout }), "line");
  await expect(assertClean(before, { timeoutMs: 50 })).rejects.toThrow(`process ${child.pid} (`);
  expect(await exited).toEqual([null, "SIGKILL"]);
});

test("a re-parented grandchild is found by its mark", async () => {
  const before = snapshotResources();
  const env = { ...process.env, [MARK_VARIABLE]: `${testMarkPrefix}w1` };
  const child = spawn(process.execPath, [fixtures.leavesGrandchild], {
    env,
    stdio: ["ignore", "pipe", "ignore"],
  });
  const [[line]] = await Promise.all([
    once(createInterface({ input: child.stdout }), "line"),
    once(child, "exit"),
  ]);
  const pid = Number(String(line).split(" ")[1]);
  expect(liveProcess(pid)?.command).toBe("sleep 300");
  await expect(assertClean(before, { timeoutMs: 50 })).rejects.toThrow(`process ${pid} (sleep 300)`);
});

test("a listener and a timer are named", async () => {
  const before = snapshotResources();
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const timer = setTimeout(() => {}, 60_000);
  await expect(assertClean(before, { timeoutMs: 50 })).rejects.toThrow(
    /1 TCPServerWrap.*1 Timeout|1 Timeout.*1 TCPServerWrap/,
  );
  clearTimeout(timer);
  server.close();
  await assertClean(before);
});

test("what closes in time is no leftover", async () => {
  const before = snapshotResources();
  setTimeout(() => {}, 40);
  await assertClean(before, { timeoutMs: 5000 });
});
