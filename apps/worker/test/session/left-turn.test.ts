import { rm, writeFile } from "node:fs/promises";
import { DatabaseSync } from "node:sqlite";
import type { AgentSettings } from "@synthesis/config";
import { eventually, expectClean, tempFolder, type TempFolder } from "@synthesis/testkit";
import { afterEach, beforeEach, expect, test } from "vitest";
import { openJournal, turnId } from "../support/test-journal.ts";
import { testCaller, testSubmit, type SubmitOptions } from "../support/test-submit.ts";
import { TestWorkspace, type TestWorkspaceOptions } from "../support/test-workspace.ts";
import { defaultAsks } from "../support/default-asks.ts";

expectClean();

let folder: TempFolder;
beforeEach(async () => {
  folder = await tempFolder();
});
afterEach(() => folder[Symbol.asyncDispose]());

const turn = turnId(1);
const resuming: AgentSettings = {
  driver: "headless",
  workspace: "w",
  permissionMode: "default",
  onInterrupt: "resume",
  instructions: "append",
  reasoning: "full",
  files: "link",
  asks: defaultAsks,
};

/** What a worker that died left in the journal: turn 1, `accepted` or `started`. */
function leave(state: "accepted" | "started", prompt: string, options: SubmitOptions = {}): void {
  const journal = openJournal(folder.join("journal.sqlite"));
  journal.accept(testSubmit(turn, prompt, options));
  if (state === "started") {
    journal.start(turn, options.session ?? "s");
    journal.events.append([{ turn, event: { seq: 1, kind: "text", text: "half" } }]);
  }
  journal.close();
}

/** Changes the journal between two workers. */
function change(sql: string): void {
  using database = new DatabaseSync(folder.join("journal.sqlite"));
  database.exec(sql);
}

const next = (options: TestWorkspaceOptions = {}) => TestWorkspace.start({ folder, epoch: 2, ...options });

test.for(["claude", "seed"])(
  "an accepted turn of %s is run by the next worker, and can be followed",
  async (agent) => {
    leave("accepted", "hi", { agent });
    await using space = await next();
    expect(space.log.fieldsOf("turn.taken_up")).toEqual([{ turn, session: "s", state: "accepted" }]);
    const followed = space.follow(turn);
    expect(await followed.outcome).toMatchObject({ state: "completed" });
    expect(followed.answer).toContain("hi");
    expect(followed.events[0]).toBe("accepted");
    expect(space.journaled("completed")).toEqual([turn]);
  },
);

test("an accepted turn whose agent's memory went with the worker is not run, and its client is told to send it again", async () => {
  {
    await using first = await TestWorkspace.start({ folder });
    await first.run("hi", { agent: "seed" });
  }
  leave("accepted", "more", { agent: "seed", needsMemory: true });
  await using space = await next();
  const { outcome } = space.follow(turn);
  expect(await outcome).toMatchObject({
    state: "failed",
    error: {
      code: "session_lost",
      retryAfterMs: 1_000,
      message: expect.stringContaining("send it again") as string,
    },
  });
});

test("a started turn is not run again: it ends as interrupted, after what it had said", async () => {
  leave("started", "hi");
  await using space = await next();
  const followed = space.follow(turn);
  expect(await followed.outcome).toEqual({
    state: "interrupted",
    error: { code: "turn_interrupted", message: expect.stringContaining("may have had effects") as string },
  });
  expect([followed.events, followed.numbers]).toEqual([
    ["accepted", "text:half", "interrupted"],
    [1, 2],
  ]);
  expect(space.workspace.status()).toMatchObject({ processes: 0, turns: 0 });
  expect(space.workspace.find(testCaller, { turn })).toMatchObject({ state: "interrupted", seq: 2 });
});

test("W-21: a word on a question whose worker died after it had accepted that is no prompt of the next one", async () => {
  const first = await TestWorkspace.start({ folder, asks: { mode: "chat" } });
  expect((await first.run("!ask Bash")).answer).toContain("may it use Bash");
  await first.close();
  leave("accepted", "yes");
  await using space = await next({ asks: { mode: "chat" } });
  const followed = space.follow(turn);
  expect(await followed.outcome).toMatchObject({ state: "completed" });
  expect(followed.answer).toMatch(/^That question is over/);
});

test("an accepted turn that eight workers have taken up is not run any more", async () => {
  leave("accepted", "hi");
  change("UPDATE turns SET take_ups = 7");
  const first = await next();
  expect(await first.follow(turn).outcome).toMatchObject({ state: "completed" });
  await first.close();
  change("UPDATE turns SET state = 'accepted', ended_at = NULL, end_frame = NULL");
  change(`UPDATE turns SET submit_frame = '${JSON.stringify(testSubmit(turn, "hi"))}'`);
  await using space = await next({ epoch: 3 });
  expect(await space.follow(turn).outcome).toMatchObject({ state: "interrupted" });
  expect(space.log.fieldsOf("turn.taken_up")).toEqual([]);
});

test("an accepted turn older than queueMs is not run any more", async () => {
  leave("accepted", "hi", { agent: "seed" });
  change("UPDATE turns SET accepted_at = accepted_at - 600000");
  await using space = await next({ limits: { queueMs: 600_000 } });
  expect(await space.follow(turn).outcome).toMatchObject({ state: "interrupted" });
  expect(space.workspace.status().processes).toBe(0);
});

test("an accepted turn of an agent that is not configured any more ends as interrupted", async () => {
  leave("accepted", "hi", { agent: "removed" });
  await using space = await next();
  expect(await space.follow(turn).outcome).toMatchObject({ state: "interrupted" });
});

test("what a left turn waits for has a deadline, and it can be cancelled", async () => {
  leave("accepted", "!hold", { agent: "seed" });
  await using space = await next();
  await eventually(() => expect(space.journaled("started")).toEqual([turn]));
  space.workspace.cancel(turn, "nobody waits for it");
  expect(await space.follow(turn).outcome).toMatchObject({ state: "cancelled" });
});

test("a left turn comes before those that are submitted now", async () => {
  leave("accepted", "first", { agent: "seed" });
  await using space = await next();
  const { outcome } = await space.run("second", { agent: "seed" });
  expect(outcome.state).toBe("completed");
  expect(space.log.fieldsOf("turn.ended").map((fields) => fields["turn"])).toEqual([
    turn,
    expect.any(String),
  ]);
});

test("a left turn whose memory is lost meanwhile fails, and says why", async () => {
  {
    await using space = await TestWorkspace.start({ folder });
    await space.run("hi");
  }
  leave("accepted", "more", { needsMemory: true });
  await rm(folder.join("claude-config", "projects"), { recursive: true });
  await using space = await next();
  expect(await space.follow(turn).outcome).toMatchObject({
    state: "failed",
    error: { code: "session_lost" },
  });
});

test.for([
  { title: "accepted", agent: "seed", limits: { processesPerWorkspace: 1 } },
  { title: "accepted, of an agent that resumes", agent: "resuming", limits: { processesPerWorkspace: 1 } },
])(
  "a turn that is $title and still waits is left again when its worker closes",
  async ({ agent, limits }) => {
    const agents = { resuming };
    const journal = openJournal(folder.join("journal.sqlite"));
    journal.accept(testSubmit(turnId(0), "!hold", { agent: "seed", session: "holding" }));
    journal.close();
    leave("accepted", "hi", { agent });
    {
      await using space = await next({ agents, limits });
      await eventually(() => expect(space.journaled("started")).toEqual([turnId(0)]));
      await space.close();
      expect(space.log.fieldsOf("turn.left")).toEqual([{ turn, session: "s" }]);
      expect([space.journaled("accepted"), space.journaled("interrupted")]).toEqual([[turn], [turnId(0)]]);
      expect(space.exits).toHaveLength(1);
    }
    await using space = await next({ epoch: 3, agents });
    expect(await space.follow(turn).outcome).toMatchObject({ state: "completed" });
  },
);

test("a turn whose process is still starting is left when its worker closes, and nothing is started then", async () => {
  const agents = { resuming };
  {
    const claudeBin = folder.join("slow-claude");
    await writeFile(claudeBin, "#!/bin/sh\nexec sleep 300\n", { mode: 0o755 });
    await using space = await next({ agents, claudeBin });
    const waiting = space.submit("hi", { agent: "resuming" });
    await waiting.untilAccepted();
    await eventually(() => expect(space.workspace.status().processes).toBe(1));
    await space.close();
    expect(space.exits).toHaveLength(1);
    expect(space.log.fieldsOf("turn.left").map((fields) => fields["turn"])).toEqual([waiting.id]);
  }
});

test("a turn that a worker takes up and closes at once is left again", async () => {
  const agents = { resuming };
  {
    await using space = await TestWorkspace.start({ folder, agents });
    await space.run("hi", { agent: "resuming" });
  }
  leave("accepted", "more", { agent: "resuming", needsMemory: true });
  {
    await using space = await next({ agents });
    await space.close();
    expect([space.exits, space.journaled("accepted")]).toEqual([[], [turn]]);
  }
  await using space = await next({ epoch: 3, agents });
  const followed = space.follow(turn);
  await followed.outcome;
  expect(followed.answer).toBe("fake: more (turn 2 of this conversation)");
});
