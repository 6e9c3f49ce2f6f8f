import { randomUUID } from "node:crypto";
import { DatabaseSync } from "node:sqlite";
import { eventually, expectClean, tempFolder, type TempFolder } from "@synthesis/testkit";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { attachTo, type GatewayPeer } from "../support/served-workspace.ts";
import { openJournal } from "../support/test-journal.ts";
import { testSubmit } from "../support/test-submit.ts";
import { WorkerProcess } from "../support/worker-process.ts";

expectClean();
vi.setConfig({ testTimeout: 30_000 }); // three processes start one after the other

let folder: TempFolder;
beforeEach(async () => {
  folder = await tempFolder();
});
afterEach(() => folder[Symbol.asyncDispose]());

/** What a gateway was told a turn said: number and text of each event. */
const told = (peer: GatewayPeer, turn: string) =>
  peer.frames
    .filter((frame) => frame["turn"] === turn && (frame.type === "delta" || frame.type === "reasoning"))
    .map((frame) => [frame["seq"], frame["text"]]);

/** The same, as it stands in the journal. */
function journaled(turn: string): unknown[] {
  using database = new DatabaseSync(folder.join("journal.sqlite"));
  const rows = database.prepare("SELECT seq, text FROM turn_events WHERE turn = ? ORDER BY seq").all(turn);
  return rows.map(({ seq, text }) => [seq, text]);
}

test("what a gateway was told before its worker was killed stands in the journal, with the same numbers", async () => {
  const turn = randomUUID();
  let before: unknown[];
  {
    await using worker = await WorkerProcess.start(folder, 1);
    await using peer = await worker.attach();
    peer.say(testSubmit(turn, "!slow 1000 5"));
    await peer.next("delta", 20);
    await worker.kill();
    await peer.closed;
    before = told(peer, turn);
  }
  const kept = journaled(turn);
  expect(kept.slice(0, before.length)).toEqual(before);
  expect(kept.map((event) => (event as readonly unknown[])[0])).toEqual(kept.map((_, index) => index + 1));

  await using next = await WorkerProcess.start(folder, 2);
  for (const after of [0, 7, before.length, kept.length, kept.length + 1]) {
    await using peer = await next.attach();
    peer.say({ type: "follow", turn, after });
    const ended = await peer.next("ended");
    expect(ended).toMatchObject({ seq: kept.length + 1, end: { state: "interrupted" } });
    expect(told(peer, turn)).toEqual(kept.slice(after));
  }
});

test("a killed worker's accepted turn is run by the next one, its started one is not", async () => {
  const [started, accepted] = [randomUUID(), randomUUID()];
  {
    await using worker = await WorkerProcess.start(folder, 1);
    await using peer = await worker.attach();
    peer.say(testSubmit(started, "!slow 1000 5", { session: "started" }));
    await peer.next("delta");
    await worker.kill();
  }
  // A worker that dies between the two edges: the moment is too short to be met from outside.
  const journal = openJournal(folder.join("journal.sqlite"));
  journal.accept(testSubmit(accepted, "hi", { session: "accepted" }));
  journal.close();

  await using next = await WorkerProcess.start(folder, 2);
  await using peer = await next.attach();
  peer.say({ type: "follow", turn: started, after: 0 }, testSubmit(accepted, "hi", { session: "accepted" }));
  await peer.next("ended", 2);
  const ends = peer.frames.filter(({ type }) => type === "ended");
  expect(new Map(ends.map((frame) => [frame["turn"], frame["end"]]))).toEqual(
    new Map<string, unknown>([
      [started, expect.objectContaining({ state: "interrupted" })],
      [accepted, expect.objectContaining({ state: "completed" })],
    ]),
  );
  expect(peer.textOf(accepted)).toBe("fake: hi (turn 1 of this conversation)");
});

test("an older worker that still lives cannot take a turn once the next one is there", async () => {
  await using old = await WorkerProcess.start(folder, 1);
  await using peer = await old.attach();
  await using next = await WorkerProcess.start(folder, 2);
  peer.say(testSubmit(randomUUID(), "hi", { agent: "seed" }));
  expect(await peer.next("refused")).toMatchObject({ error: { code: "internal_error" } });
  await using other = await next.attach();
  other.say(testSubmit(randomUUID(), "hi", { agent: "seed" }));
  expect(await other.next("ended")).toMatchObject({ end: { state: "completed" } });
});

test("a worker is not started with an older generation than its journal has seen", async () => {
  await using young = await WorkerProcess.start(folder, 2);
  await expect(WorkerProcess.start(folder, 1)).rejects.toThrow("ended before it was ready");
  await using peer = await young.attach();
  expect(await peer.next("attached")).toMatchObject({ epoch: 2 });
});

test("a worker that is restarted drains: what runs ends, what comes is refused, then it exits with 0", async () => {
  await using worker = await WorkerProcess.start(folder, 1);
  await using peer = await worker.attach();
  const [running, late] = [randomUUID(), randomUUID()];
  peer.say(testSubmit(running, "!slow 40 20"));
  await peer.next("delta");
  const closed = worker.close(10_000);
  await eventually(async () => {
    await using probe = await attachTo(worker.configuration.socketPath);
    probe.say(testSubmit(late, "!hold", { session: "late", agent: "seed" }));
    expect(await probe.next("refused")).toMatchObject({ error: { code: "worker_draining" } });
  });
  expect(await peer.next("ended")).toMatchObject({ turn: running, end: { state: "completed" } });
  expect(peer.textOf(running)).toMatch(/w40$/);
  expect(await peer.closed).toMatchObject({ code: 1001 });
  expect(await closed).toBe("the test restarts it");
});

test("a turn that outlives the drain is cut, told so, and known to the next worker", async () => {
  const turn = randomUUID();
  {
    await using worker = await WorkerProcess.start(folder, 1);
    await using peer = await worker.attach();
    peer.say(testSubmit(turn, "!slow 1000 20"));
    await peer.next("delta");
    await worker.close(100);
    expect(await peer.next("ended")).toMatchObject({ turn, end: { state: "interrupted" } });
  }
  await using next = await WorkerProcess.start(folder, 2);
  await using peer = await next.attach();
  peer.say({ type: "follow", turn, after: 0 });
  expect(await peer.next("ended")).toMatchObject({ turn, end: { state: "interrupted" } });
});

test("a turn of an agent that resumes goes on in the next worker: its client gets the answer once, and whole", async () => {
  const turn = randomUUID();
  let before: unknown[];
  {
    await using worker = await WorkerProcess.start(folder, 1);
    await using peer = await worker.attach();
    peer.say(testSubmit(turn, "!slow 60 10", { agent: "resuming" }));
    await peer.next("delta", 10);
    await worker.kill();
    await peer.closed;
    before = told(peer, turn);
  }
  await using next = await WorkerProcess.start(folder, 2);
  await using peer = await next.attach();
  peer.say({ type: "follow", turn, after: before.length });
  expect(await peer.next("ended")).toMatchObject({ end: { state: "completed" } });
  const text = [...before, ...told(peer, turn)].map((event) => (event as [number, string])[1]).join("");
  expect(text.replace(/\[[^\]]*\]\n/g, "")).toBe(
    Array.from({ length: 60 }, (_, index) => `w${index + 1}`).join(" "),
  );
  const numbers = peer.numbersOf(turn);
  expect(numbers).toEqual(numbers.map((_, index) => before.length + 1 + index));
});

test("a turn is resumed once: cut a second time, it ends as interrupted", async () => {
  const turn = randomUUID();
  for (const epoch of [1, 2]) {
    await using worker = await WorkerProcess.start(folder, epoch);
    await using peer = await worker.attach();
    const order = testSubmit(turn, "!slow 1000 10", { agent: "resuming" });
    if (epoch === 1) peer.say(order);
    else peer.say({ type: "follow", turn, after: journaled(turn).length });
    await peer.next("delta", 5);
    await worker.kill();
  }
  await using last = await WorkerProcess.start(folder, 3);
  await using peer = await last.attach();
  peer.say({ type: "follow", turn, after: 0 });
  expect(await peer.next("ended")).toMatchObject({ end: { state: "interrupted" } });
});
