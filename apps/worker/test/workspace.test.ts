import { randomUUID } from "node:crypto";
import { DatabaseSync } from "node:sqlite";
import { EMPTY_TRANSCRIPT, rollTranscript } from "@synthesis/protocol";
import { eventually, expectClean, tempFolder } from "@synthesis/testkit";
import { expect, test } from "vitest";
import { Journal } from "../src/journal/journal.ts";
import { LogRecorder } from "./support/log-recorder.ts";
import { testLimits } from "./support/test-limits.ts";
import { testScope, testSubmit, TestWorkspace } from "./support/test-workspace.ts";

expectClean();

const asked = (prompt: string, before = EMPTY_TRANSCRIPT) => rollTranscript(before, "user", prompt);
const answered = (transcript: string, answer: string) => rollTranscript(transcript, "assistant", answer);

test("an agent that is not configured is refused", async () => {
  await using space = await TestWorkspace.start();
  const { turn, outcome } = await space.run("hi", { agent: "nobody" });
  expect(outcome).toMatchObject({ state: "refused", error: { code: "model_not_found" } });
  expect(turn.events).toEqual(["refused"]);
});

test("a session is located by its id and by the transcript as the client has it", async () => {
  await using space = await TestWorkspace.start();
  const { answer } = await space.run("hi");
  const head = answered(asked("hi"), answer);
  expect(space.workspace.locate({ session: "s" })).toBe("s");
  expect(space.workspace.locate({ session: "unknown" })).toBeUndefined();
  expect(space.workspace.locate({ scope: testScope, head })).toBe("s");
  expect(space.workspace.locate({ scope: testScope, head: asked("hi") })).toBeUndefined();
});

test("a turn without a transcript leaves its session one that no transcript finds", async () => {
  await using space = await TestWorkspace.start();
  const { answer } = await space.run("hi", { transcript: undefined });
  expect(space.workspace.locate({ scope: testScope, head: answered(asked("hi"), answer) })).toBeUndefined();
  expect(space.workspace.locate({ session: "s" })).toBe("s");
});

test("a session of Claude's is known from its first prompt on, also without a process", async () => {
  await using folder = await tempFolder();
  const journal = new Journal(folder.join("journal.sqlite"), testLimits(), new LogRecorder());
  journal.accept(testSubmit(randomUUID(), "never begun"));
  journal.close();
  await using space = await TestWorkspace.start({ folder });
  expect(space.workspace.locate({ session: "s" })).toBeUndefined();
  await space.run("hi");
  space.workspace.evictOldest();
  expect(space.workspace.locate({ session: "s" })).toBe("s");
  await eventually(() => expect(space.workspace.status().processes).toBe(0));
  expect(space.workspace.locate({ session: "s" })).toBe("s");
});

test("a session of any other program is known only as long as its process lives", async () => {
  await using space = await TestWorkspace.start();
  const { answer } = await space.run("hi", { agent: "seed" });
  const head = answered(asked("hi"), answer);
  const located = () => [
    space.workspace.locate({ session: "s" }),
    space.workspace.locate({ scope: testScope, head }),
  ];
  expect(located()).toEqual(["s", "s"]);
  space.workspace.evictOldest();
  expect(space.workspace.status().processes).toBe(1); // it is being ended
  expect(located()).toEqual([undefined, undefined]);
  await eventually(() => expect(space.workspace.status().processes).toBe(0));
  expect(located()).toEqual([undefined, undefined]);
  await space.run("hi again", { agent: "seed" });
  expect(space.workspace.locate({ session: "s" })).toBe("s");
});

test("a turn on the transcript it expects runs, one on an older transcript is refused", async () => {
  await using space = await TestWorkspace.start();
  const { answer } = await space.run("hi");
  const head = answered(asked("hi"), answer);
  const next = { transcript: asked("more", head), expectHead: head };
  expect((await space.run("more", next)).outcome.state).toBe("completed");
  const late = await space.run("more", next);
  expect(late.outcome).toMatchObject({
    state: "refused",
    error: { code: "history_changed", retryAfterMs: expect.any(Number) },
  });
  expect(late.turn.events).toEqual(["refused"]);
});

test("a transcript that is expected of an unknown session is refused", async () => {
  await using space = await TestWorkspace.start();
  const { outcome } = await space.run("hi", { expectHead: asked("hi") });
  expect(outcome).toMatchObject({ state: "refused", error: { code: "history_changed" } });
});

test("a cancelled turn leaves the transcript with what was said of it", async () => {
  await using space = await TestWorkspace.start();
  const turn = space.submit("!slow 1000 20");
  await turn.untilText("w1");
  space.workspace.cancel(turn.id, "the client left");
  await turn.outcome;
  const head = answered(asked("!slow 1000 20"), turn.answer);
  expect(space.workspace.locate({ scope: testScope, head })).toBe("s");
});

test("a turn that is submitted twice is refused the second time and run once", async () => {
  await using space = await TestWorkspace.start();
  const { turn } = await space.run("hi");
  const again = await space.run("hi", { session: "s" });
  expect(again.answer).toContain("turn 2");
  const order = { turn: turn.id, type: "submit", prompt: "hi", transcript: asked("hi") } as const;
  const refused: string[] = [];
  const { promise, resolve } = Promise.withResolvers<void>();
  const session = { id: "s", key: "claude::s", agent: "claude", scope: testScope };
  const sink = { accepted: () => refused.push("accepted"), text: () => {}, reasoning: () => {} };
  space.workspace.submit(
    { ...order, session },
    { ...sink, refused: () => resolve(), ended: () => refused.push("ended") },
  );
  await promise;
  expect(refused).toEqual([]);
  expect((await space.run("hi")).answer).toContain("turn 3");
});

test("a worker that starts again resumes its sessions and has ended what the dead one left open", async () => {
  await using folder = await tempFolder();
  {
    await using first = await TestWorkspace.start({ folder });
    await first.run("hi");
  }
  const database = new DatabaseSync(folder.join("journal.sqlite"));
  const open = database.prepare("INSERT INTO turns (id, session, state, accepted_at) VALUES (?, 's', ?, 1)");
  open.run(randomUUID(), "accepted");
  open.run(randomUUID(), "started");
  database.close();
  await using second = await TestWorkspace.start({ folder });
  expect(second.log.fieldsOf("journal.turns_interrupted")).toEqual([{ turns: 2 }]);
  expect(second.workspace.locate({ session: "s" })).toBe("s");
  expect((await second.run("hi")).answer).toContain("turn 2 of this conversation");
});

test("the status counts sessions, processes, connections and turns, and names the longest idle", async () => {
  await using space = await TestWorkspace.start();
  const empty = { processes: 0, conns: 0, turns: 0, sessions: 0, unsolicited: 0, memoryBytes: 0 };
  expect(space.workspace.status()).toEqual(empty);
  const since = Date.now();
  await space.run("hi");
  await space.run("hi", { agent: "seed", session: "seed" });
  const running = space.submit("!hold", { agent: "seed", session: "held" });
  await eventually(() => expect(space.workspace.status().conns).toBe(2));
  expect(space.workspace.status().memoryBytes).toBe(0); // not measured yet
  space.workspace.measure();
  const status = space.workspace.status();
  expect(status).toMatchObject({ processes: 3, turns: 1, sessions: 3 });
  expect(status.memoryBytes).toBeGreaterThan(1_000_000);
  expect(status.oldestIdleAt).toBeGreaterThanOrEqual(since);
  space.workspace.cancel(running.id, "over");
  await running.outcome;
});

test("evicting the oldest ends the one that has been idle longest, and nothing where none is idle", async () => {
  await using space = await TestWorkspace.start();
  space.workspace.evictOldest();
  const pids = [(await space.run("!pid")).answer, (await space.run("!pid", { session: "b" })).answer];
  space.workspace.evictOldest();
  await eventually(() => expect(space.workspace.status().processes).toBe(1));
  expect(space.log.fieldsOf("agent.exited").map(({ pid }) => String(pid))).toEqual([pids[0]]);
});
