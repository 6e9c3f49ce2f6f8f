import { expectClean, tempFolder, type TempFolder } from "@synthesis/testkit";
import { expect, test } from "vitest";
import { FailingDisk } from "../support/failing-disk.ts";
import type { RecordedTurn } from "../support/recorded-turn.ts";
import { testCaller } from "../support/test-submit.ts";
import { TestWorkspace } from "../support/test-workspace.ts";

expectClean();

const seed = { agent: "seed" } as const;
const refused = { state: "refused", error: { code: "worker_unavailable", retryAfterMs: 5_000 } };

test("while the disk is full no turn is accepted, what runs goes on to its end, and then all is as before", async () => {
  using disk = new FailingDisk();
  await using space = await TestWorkspace.start();
  const running = space.submit("!slow 10 20");
  await running.untilText("w2");
  disk.fill();
  expect((await space.run("hi", { ...seed, session: "new" })).outcome).toMatchObject(refused);
  expect(await running.outcome).toMatchObject({ state: "completed" });
  expect(running.answer).toMatch(/w10$/);
  expect((await space.run("more")).outcome).toMatchObject(refused);
  expect(space.journaled("started")).toEqual([running.id]);
  disk.recover();
  expect((await space.run("more")).answer).toBe("fake: more (turn 2 of this conversation)");
  expect(space.journaled("completed")).toHaveLength(2);
  expect(space.log.fieldsOf("journal.output_not_kept").length).toBeGreaterThan(0);
  expect(await space.follow(running.id).outcome).toMatchObject({
    state: "gone",
    end: { state: "completed" },
  });
});

test("SQLite itself says so when it has no page left, and takes turns again when it has", async () => {
  using disk = new FailingDisk();
  await using space = await TestWorkspace.start();
  await space.run("hi", seed);
  disk.fillDatabases();
  const large = { ...seed, session: "large" };
  const { outcome } = await space.run("x".repeat(100_000), large);
  expect(outcome).toMatchObject(refused);
  disk.recover();
  expect((await space.run("x".repeat(100_000), large)).outcome.state).toBe("completed");
});

test("an end that is owed is what a repetition of the request finds", async () => {
  using disk = new FailingDisk();
  await using space = await TestWorkspace.start();
  const running = space.submit("!slow 10 20");
  await running.untilText("w2");
  disk.fill();
  await running.outcome;
  disk.recover();
  const { turn, state } = space.workspace.find(testCaller, { turn: running.id }) ?? {};
  expect([turn, state]).toEqual([running.id, "completed"]);
});

/** A worker's life: two turns, of which one is taken. */
async function runTwo(folder: TempFolder): Promise<readonly RecordedTurn[]> {
  await using space = await TestWorkspace.start({ folder });
  const turns: RecordedTurn[] = [];
  for (const prompt of ["one", "two"]) turns.push((await space.run(prompt, seed)).turn);
  space.workspace.take(turns[0]?.id ?? "");
  return turns;
}

/** The next worker finds no turn open, and of each what its client was told. */
async function checkNextWorker(
  folder: TempFolder,
  turns: readonly RecordedTurn[],
  what: string,
): Promise<void> {
  await using space = await TestWorkspace.start({ folder, epoch: 2 });
  expect(space.log.fieldsOf("turn.taken_up"), what).toEqual([]);
  for (const { id, events, outcome } of turns) {
    const [first, last] = [events[0], events.at(-1)];
    expect(
      events.filter((event) => event !== first && !event.startsWith("text:")),
      what,
    ).toEqual(first === "accepted" ? [last] : []);
    const { state } = space.workspace.find(testCaller, { turn: id }) ?? {};
    expect(state, what).toBe(first === "accepted" ? (await outcome).state : undefined);
  }
}

test("whatever write fails, no turn is accepted without a row, and each has exactly one end in the end", async () => {
  let failing = 0;
  let wasHit = true;
  while (wasHit) {
    using disk = new FailingDisk();
    await using folder = await tempFolder();
    disk.failNth(++failing);
    const turns = await runTwo(folder).catch((error: unknown) => {
      expect(error).toMatchObject({ errcode: 13 }); // the worker did not start: its supervisor tries again
      return [];
    });
    wasHit = disk.writes >= failing;
    disk.recover();
    await checkNextWorker(folder, turns, `write ${failing} of ${disk.writes} failed`);
  }
  expect(failing).toBeGreaterThan(20);
}, 60_000);
