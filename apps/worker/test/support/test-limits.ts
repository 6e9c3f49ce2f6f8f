import { Limits } from "@synthesis/config";

/** The default limits with the deadlines of a test: long where a test must not meet them, short where it waits for them. */
export function testLimits(over: Partial<Limits> = {}): Limits {
  return Limits.parse({ closeMs: 2000, reconnectMs: 200, ...over });
}
