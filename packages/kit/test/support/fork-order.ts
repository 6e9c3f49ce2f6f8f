import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ChildMessage } from "@synthesis/protocol";
import { createLogger } from "../../src/logger.ts";
import type { ForkOrder } from "../../src/supervision/forked-child.ts";

export const supervisedChild = new URL("../fixtures/supervised-child.ts", import.meta.url).href;
export const quiet = createLogger("error");

/** An order for the supervised fixture; `heard` collects what it says. */
export function orderWith(changes: Partial<ForkOrder> = {}, heard: ChildMessage[] = []): ForkOrder {
  return {
    entry: supervisedChild,
    configuration: {},
    startMs: 10_000,
    closeMs: 5_000,
    silentMs: 10_000,
    compileCacheDir: process.env["NODE_COMPILE_CACHE"] ?? join(tmpdir(), "synthesis-test-compile-cache"),
    log: quiet,
    onMessage: (message) => heard.push(message),
    ...changes,
  };
}
