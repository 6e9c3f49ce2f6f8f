import { afterEach, beforeEach } from "vitest";
import {
  describeLeftovers,
  leftoversSince,
  snapshotResources,
  testMarkPrefix,
  type ResourceSnapshot,
} from "./leftovers.ts";

/** What {@link expectClean} may be told. */
export interface ExpectCleanOptions {
  /** How long handles have to close after the test, since they do so asynchronously. */
  readonly timeoutMs?: number;
  /** `SYNTHESIS_MARK` prefixes of processes that belong to these tests. */
  readonly markPrefixes?: readonly string[];
}

const pollEveryMs = 10;

/**
 * Fails each test of this file that leaves behind a process (a descendant, or a marked one), a listener, a
 * socket or a timer; the message names it, and the process is killed. Call it once, at the top of the file:
 * hooks registered later clean up before it looks. What `onTestFinished` does comes too late.
 */
export function expectClean(options: ExpectCleanOptions = {}): void {
  let before: ResourceSnapshot | undefined;
  beforeEach(() => {
    before = snapshotResources(options.markPrefixes);
  });
  afterEach(async () => {
    if (before !== undefined) await assertClean(before, options);
  });
}

/** The check itself: rejects with what is left since `before` after at most `timeoutMs` (2000). */
export async function assertClean(before: ResourceSnapshot, options: ExpectCleanOptions = {}): Promise<void> {
  const { timeoutMs = 2000, markPrefixes = [testMarkPrefix] } = options;
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const left = leftoversSince(before, markPrefixes);
    const message = describeLeftovers(left);
    if (message === undefined) return;
    if (performance.now() >= deadline) {
      for (const { pid } of left.processes) kill(pid);
      throw new Error(message);
    }
    await pauseUncounted();
  }
}

/** A pause by a timer that is not itself counted as an active handle. */
function pauseUncounted(): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  setTimeout(resolve, pollEveryMs).unref();
  return promise;
}

function kill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // gone meanwhile
  }
}
