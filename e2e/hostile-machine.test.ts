import { createHash } from "node:crypto";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { eventually, expectClean } from "@synthesis/testkit";
import { expect, test } from "vitest";
import { openStream, streamed } from "./support/answer-stream.ts";
import { ask, type Answer, type Chat } from "./support/chat.ts";
import { startWithFakeClaude } from "./support/fake-claude.ts";
import { canMount, refusingDisk, smallDisk } from "./support/full-disk.ts";
import { ResourceLimit } from "./support/resource-limit.ts";
import type { Synthesis } from "./support/synthesis.ts";

expectClean();

const HOUR_MS = 3_600_000;
const one = { model: "claude", session: "one" } as const;
const other = { model: "claude-beta", session: "other" } as const;
const nth = (say: string, turn: number) => `fake: ${say} (turn ${turn} of this conversation)`;

const pidOf = (synthesis: Synthesis, title: string) => synthesis.process(title).pid;
const journalOf = ({ folder }: Synthesis, workspace: string) => {
  const hash = createHash("sha256").update(folder.join(workspace)).digest("hex").slice(0, 16);
  return folder.join("state", "journals", `${hash}.db`);
};
const movedAside = ({ folder }: Synthesis) =>
  readdirSync(folder.join("state", "journals")).filter((name) => name.includes(".corrupt-"));

/** Refused before anything was run, and worth another try soon. */
function expectRefused({ status, error, headers }: Answer, code: string): void {
  expect({ status, code: error?.code }).toEqual({ status: 503, code });
  expect(Number(headers.get("retry-after"))).toBeGreaterThan(0);
}

/** Asks till it is answered, as a client does that honours `Retry-After`. */
async function answered(synthesis: Synthesis, chat: Chat): Promise<string | undefined> {
  let answer: Answer | undefined;
  await eventually(async () => {
    answer = await ask(synthesis, chat);
    expect(answer.status).toBe(200);
  });
  return answer?.content;
}

test.for([
  { title: "refuses every write", make: refusingDisk, isSkipped: false },
  { title: "is full", make: smallDisk, isSkipped: !canMount() },
])(
  "while the disk $title no turn is begun, what runs goes on to its end, and then all is as before",
  async ({ make, isSkipped }, { skip }) => {
    skip(isSkipped, "a file system cannot be mounted here");
    await using synthesis = await startWithFakeClaude();
    using disk = make(synthesis);
    const running = await openStream(synthesis, { ...one, say: "!slow 20 50" });
    await running.until("w2");
    disk.fill();
    for (const model of ["claude", "echo"])
      expectRefused(await ask(synthesis, { model, session: "new", say: "hi" }), "worker_unavailable");
    expect(await running.end()).toMatchObject({ isDone: true, error: undefined });
    expect(running.content).toMatch(/^w1 .* w20$/);
    expectRefused(await ask(synthesis, { ...one, say: "hi" }), "worker_unavailable");
    disk.free();
    expect(await answered(synthesis, { ...one, say: "hi" })).toBe(nth("hi", 2));
    expect(await answered(synthesis, { model: "claude", session: "new", say: "hi" })).toBe(nth("hi", 1));
    expect(synthesis.log.of("child.restarting")).toEqual([]);
  },
);

test("a turn whose end a full disk kept out of the journal is interrupted when its worker dies, and not run again", async () => {
  await using synthesis = await startWithFakeClaude();
  using disk = refusingDisk(synthesis);
  const keyed = { ...one, headers: { "idempotency-key": "k" } };
  const running = await openStream(synthesis, { ...keyed, say: "!slow 20 50" });
  await running.until("w2");
  disk.fill();
  expect(await running.end()).toMatchObject({ isDone: true, error: undefined });
  await synthesis.crash(pidOf(synthesis, "synthesis-worker alpha"));
  await eventually(async () => {
    const again = await streamed(synthesis, { ...keyed, say: "!slow 20 50" });
    expect(again).toMatchObject({ isDone: false, error: { code: "turn_interrupted" } });
  });
  expect(await answered(synthesis, { ...one, say: "hi" })).toBe(nth("hi", 2));
});

test("a journal that is garbage when its worker starts is moved aside, and the workspace serves at once", async () => {
  await using synthesis = await startWithFakeClaude();
  writeFileSync(journalOf(synthesis, "alpha"), "garbage ".repeat(10_000));
  expect((await ask(synthesis, { ...one, say: "hi" })).content).toBe(nth("hi", 1));
  expect(synthesis.log.of("journal.corrupt")).toHaveLength(1);
  expect(movedAside(synthesis)).toHaveLength(1);
});

test.for([
  { title: "journal and its write-ahead log", sides: ["", "-wal"], event: "journal.corrupt" },
  { title: "write-ahead log", sides: ["-wal"], event: "journal.log_corrupt" },
])(
  "the worker that finds garbage for the $title of the one before it says so and serves; the other workspace sees nothing",
  async ({ sides, event }) => {
    await using synthesis = await startWithFakeClaude();
    for (const chat of [one, other]) await ask(synthesis, { ...chat, say: "hi" });
    const neighbour = pidOf(synthesis, "synthesis-worker beta");
    process.kill(pidOf(synthesis, "synthesis-worker alpha"), "SIGSTOP"); // it must not mend what it finds
    for (const side of sides)
      writeFileSync(`${journalOf(synthesis, "alpha")}${side}`, "garbage ".repeat(10_000));
    await synthesis.crash(pidOf(synthesis, "synthesis-worker alpha"));
    expect(await answered(synthesis, { ...one, say: "hi" })).toBe(nth("hi", 1));
    expect(synthesis.log.of(event)).toHaveLength(1);
    expect(movedAside(synthesis)).not.toEqual([]);
    expect((await ask(synthesis, { ...other, say: "hi" })).content).toBe(nth("hi", 2));
    expect(pidOf(synthesis, "synthesis-worker beta")).toBe(neighbour);
  },
);

test("a worker whose journal is overwritten while it runs lets its turns end and makes way for one with a new journal", async () => {
  await using synthesis = await startWithFakeClaude();
  for (const chat of [one, other]) await ask(synthesis, { ...chat, say: "hi" });
  const running = await openStream(synthesis, { ...one, say: "!slow 20 50" });
  await running.until("w2");
  for (const side of ["", "-wal"]) {
    const file = `${journalOf(synthesis, "alpha")}${side}`;
    writeFileSync(file, Buffer.alloc(readFileSync(file).length, "garbage "), { flag: "r+" });
  }
  const asked = answered(synthesis, { model: "claude", session: "new", say: "hi" });
  expect(await running.end()).toMatchObject({ isDone: true, error: undefined });
  expect(running.content).toMatch(/ w20$/);
  expect(await asked).toBe(nth("hi", 1));
  expect(synthesis.log.of("journal.damaged")).toHaveLength(1);
  expect(synthesis.log.of("journal.corrupt").length + synthesis.log.of("journal.log_corrupt").length).toBe(1);
  expect((await ask(synthesis, { ...other, say: "hi" })).content).toBe(nth("hi", 2));
});

test("after the clock was set back by an hour and the supervisor began anew, workers start and sessions go on", async () => {
  await using synthesis = await startWithFakeClaude();
  await ask(synthesis, { ...one, say: "hi" });
  const kept = synthesis.folder.join("state", "epoch");
  // As an earlier run left them, whose clock was an hour ahead of ours.
  writeFileSync(kept, String(Number(readFileSync(kept, "utf8")) + HOUR_MS));
  using journal = new DatabaseSync(journalOf(synthesis, "alpha"), { timeout: 5_000 });
  journal.exec(
    `UPDATE owner SET epoch = epoch + ${HOUR_MS};
     UPDATE turns SET accepted_at = accepted_at + ${HOUR_MS}, started_at = started_at + ${HOUR_MS}, ended_at = ended_at + ${HOUR_MS};
     UPDATE sessions SET created_at = created_at + ${HOUR_MS}, used_at = used_at + ${HOUR_MS};`,
  );
  await synthesis.crash(pidOf(synthesis, "synthesis-supervisor"));
  await synthesis.log.line("child.restarting", { process: "up" });
  await eventually(async () => synthesis.health(), 15_000);
  expect(await answered(synthesis, { ...one, say: "hi" })).toBe(nth("hi", 2));
});

test.for([
  { title: "descriptors", limit: (pid: number) => ResourceLimit.descriptors(pid, 0), names: "ulimit -n" },
  {
    title: "processes",
    limit: (pid: number) => new ResourceLimit(pid, "nproc", 1),
    names: "ulimit -u",
    // The kernel does not count those of root.
    isSkipped: process.getuid?.() === 0,
  },
])(
  "a worker without $title says which limit is too low, goes on with what it has, and is as before at once",
  async ({ limit, names, isSkipped = false }, { skip }) => {
    skip(isSkipped, "this user has no such limit");
    await using synthesis = await startWithFakeClaude({ limits: { idleMs: 200 } });
    await ask(synthesis, { ...one, say: "hi" });
    await synthesis.healthy({ processes: 0 });
    const warm = await openStream(synthesis, { model: "claude", session: "warm", say: "!slow 20 100" });
    await warm.until("w1");
    const worker = pidOf(synthesis, "synthesis-worker alpha");
    using squeezed = limit(worker);
    for (const chat of [
      { model: "claude", session: "new" }, // a new process
      { model: "echo", session: "new" },
      one, // one that is to resume its session
    ]) {
      const refused = await ask(synthesis, { ...chat, say: "hi" });
      expectRefused(refused, "agent_unavailable");
      expect(refused.error?.message).toContain(names);
    }
    expect(await warm.end()).toMatchObject({ isDone: true, error: undefined });
    squeezed.lift();
    expect((await ask(synthesis, { ...one, say: "hi" })).content).toBe(nth("hi", 2));
    expect((await ask(synthesis, { model: "claude", session: "new", say: "hi" })).content).toBe(nth("hi", 1));
    expect((await ask(synthesis, { model: "echo", session: "new", say: "hi" })).content).toBe("You said: hi");
    expect(pidOf(synthesis, "synthesis-worker alpha")).toBe(worker);
    await synthesis.healthy({ processes: 0, turns: 0 });
  },
);

test("a process that dies while its worker has no descriptor left takes what it started with it", async () => {
  await using synthesis = await startWithFakeClaude();
  const answer = await ask(synthesis, { ...one, say: "!spawn" });
  const child = Number(answer.content);
  const worker = pidOf(synthesis, "synthesis-worker alpha");
  const [claude] = synthesis.agents("alpha");
  using squeezed = ResourceLimit.descriptors(worker, 0);
  process.kill(claude?.pid ?? 0, "SIGKILL");
  await eventually(() => expect(() => process.kill(child, 0)).toThrow("ESRCH"));
  squeezed.lift();
  expect((await ask(synthesis, { ...one, say: "hi" })).content).toBe(nth("hi", 2));
  expect(pidOf(synthesis, "synthesis-worker alpha")).toBe(worker);
});

test("a gateway without descriptors goes on with its streams, hangs up on new connections, and serves when it has some", async () => {
  await using synthesis = await startWithFakeClaude();
  const gateway = pidOf(synthesis, "synthesis-gateway");
  const running = await openStream(synthesis, { ...one, say: "!slow 20 50" });
  await running.until("w1");
  const open = readdirSync(`/proc/${gateway}/fd`).length;
  using squeezed = ResourceLimit.descriptors(gateway, 0);
  const fresh = { headers: { connection: "close" } };
  const outcomes = await Promise.allSettled(
    Array.from({ length: 20 }, (_, index) =>
      ask(synthesis, { ...other, ...fresh, session: `${index}`, say: "hi" }),
    ),
  );
  expect(outcomes.filter(({ status }) => status === "rejected").length).toBeGreaterThan(15);
  expect(await running.end()).toMatchObject({ isDone: true, error: undefined });
  squeezed.lift();
  expect((await ask(synthesis, { ...other, ...fresh, say: "hi" })).content).toBe(nth("hi", 1));
  expect(pidOf(synthesis, "synthesis-gateway")).toBe(gateway);
  await eventually(() => expect(readdirSync(`/proc/${gateway}/fd`).length).toBeLessThan(open + 10));
});

test("a supervisor without descriptors cannot start a worker, says so, and does when it has some", async () => {
  await using synthesis = await startWithFakeClaude();
  await ask(synthesis, { ...one, say: "hi" });
  const supervisor = pidOf(synthesis, "synthesis-supervisor");
  using squeezed = ResourceLimit.descriptors(supervisor, 0);
  expectRefused(await ask(synthesis, { ...other, say: "hi" }), "worker_unavailable");
  expect((await ask(synthesis, { ...one, say: "hi" })).content).toBe(nth("hi", 2));
  squeezed.lift();
  expect(await answered(synthesis, { ...other, say: "hi" })).toBe(nth("hi", 1));
  expect(pidOf(synthesis, "synthesis-supervisor")).toBe(supervisor);
});
