import { expect, test } from "vitest";
import { endOfFailedStart } from "../../src/drivers/end-of-failed-start.ts";

test.for([
  ["EMFILE", "ulimit -n"],
  ["ENFILE", "fs.file-max"],
  ["EAGAIN", "ulimit -u"],
  ["ENOMEM", "limits.memoryMb"],
] as const)("a start that fails with %s names %s, and may be tried again", ([code, remedy]) => {
  expect(endOfFailedStart("it could not be started", code, "install it")).toMatchObject({
    state: "failed",
    error: { code: "agent_unavailable", message: expect.stringContaining(remedy), retryAfterMs: 5_000 },
  });
});

test("a start that fails for any other cause names its own remedy, and is not worth another try", () => {
  expect(endOfFailedStart("it could not be started", "ENOENT", "install it")).toEqual({
    state: "failed",
    error: { code: "agent_unavailable", message: "it could not be started (ENOENT): install it" },
  });
});
