import type { TurnEnd } from "@synthesis/protocol";
import { expect, test } from "vitest";
import type { Journal } from "../../src/journal/journal.ts";
import { JournalFile, turnId } from "../support/test-journal.ts";
import { testSubmit } from "../support/test-submit.ts";

const failed: TurnEnd = { state: "failed", error: { code: "turn_failed", message: "no" } };

const edges: readonly (readonly [edge: string, write: (journal: Journal) => void])[] = [
  ["accept a turn", (journal) => journal.accept(testSubmit(turnId(9), "hi"))],
  ["start a turn", (journal) => journal.start(turnId(1), "s")],
  [
    "end a turn that is not started",
    (journal) => journal.end("s", { turn: turnId(1), end: failed, seq: 1, isVoid: false }, { state: "none" }),
  ],
  [
    "end a started turn",
    (journal) =>
      journal.end(
        "s",
        { turn: turnId(2), end: failed, seq: 1, isVoid: false },
        { state: "answer", hash: "a".repeat(64) },
      ),
  ],
];

test.for(edges)("a worker cannot %s once a later one has opened its journal", async ([, write]) => {
  await using file = await JournalFile.make();
  const old = file.open({ epoch: 3 });
  for (const index of [1, 2]) old.accept(testSubmit(turnId(index), "hi"));
  old.start(turnId(2), "s");
  const young = file.open({ epoch: 4 });
  const all = () => [...file.rows("SELECT * FROM turns"), ...file.rows("SELECT * FROM sessions")];
  const before = all();
  expect(() => write(old)).toThrow("belongs to a worker later than epoch 3");
  expect(all()).toEqual(before);
  expect(() => write(young)).not.toThrow();
});

test("an earlier worker cannot open the journal of a later one, which goes on", async () => {
  await using file = await JournalFile.make();
  const young = file.open({ epoch: 4 });
  expect(() => file.open({ epoch: 3 })).toThrow("belongs to a worker later than epoch 3");
  young.accept(testSubmit(turnId(1), "hi"));
  expect(file.rows("SELECT epoch FROM owner")).toEqual(["4"]);
});

test("a refused worker keeps no file open", async () => {
  await using file = await JournalFile.make();
  file.close(file.open({ epoch: 4 }));
  expect(() => file.open({ epoch: 3 })).toThrow("epoch 3");
  // The log is written back and removed by the last connection that closes.
  file.close(file.open({ epoch: 5 }));
  expect(await file.names()).toEqual(["journal.sqlite"]);
});
