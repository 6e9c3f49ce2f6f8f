import { sleep } from "@synthesis/kit";

const pollEveryMs = 10;

/**
 * Runs `assertion` until it does not throw, and returns what it returns. After `deadlineMs` it throws an
 * error with the last failure as its cause.
 */
export async function eventually<T>(assertion: () => T | Promise<T>, deadlineMs = 5000): Promise<T> {
  const deadline = performance.now() + deadlineMs;
  for (;;) {
    try {
      return await assertion();
    } catch (cause) {
      if (performance.now() >= deadline) {
        const last = cause instanceof Error ? cause.message : String(cause);
        throw new Error(`did not hold within ${deadlineMs} ms: ${last}`, { cause });
      }
    }
    await sleep(pollEveryMs);
  }
}
