import { readFileSync, writeFileSync } from "node:fs";
import { expect, test } from "vitest";
import { errorOf } from "../../src/turn/error-of.ts";
import { LogRecorder } from "../support/log-recorder.ts";
import { JournalFile, turnId } from "../support/test-journal.ts";
import { testSubmit } from "../support/test-submit.ts";

/** What `work` throws. */
function thrown(work: () => unknown): unknown {
  try {
    work();
  } catch (error) {
    return error;
  }
  throw new Error("it did not throw");
}

test("a journal that is overwritten while it is open says so once", async () => {
  await using file = await JournalFile.make();
  const log = new LogRecorder();
  let damages = 0;
  const journal = file.open({ log, onDamage: () => damages++ });
  journal.accept(testSubmit(turnId(1), "hi"));
  for (const path of [file.path, `${file.path}-wal`])
    writeFileSync(path, Buffer.alloc(readFileSync(path).length, "garbage "), { flag: "r+" });
  const say = (seq: number) =>
    journal.events.append([{ turn: turnId(1), event: { seq, kind: "text", text: "x" } }]);
  const refused = { code: "worker_unavailable", retryAfterMs: 1_000 };
  expect(errorOf(thrown(() => say(1)))).toMatchObject(refused);
  expect(errorOf(thrown(() => say(2)))).toMatchObject(refused);
  expect(damages).toBe(1);
  expect(log.fieldsOf("journal.damaged")).toHaveLength(1);
});
