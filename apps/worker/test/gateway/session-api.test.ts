import { createReadStream } from "node:fs";
import { appendFile, glob, readdir, readlink } from "node:fs/promises";
import { request } from "node:http";
import { text } from "node:stream/consumers";
import { SessionClient } from "@synthesis/kit";
import { eventually, expectClean, tempFolder, type TempFolder } from "@synthesis/testkit";
import { expect, test } from "vitest";
import { GatewayServer } from "../../src/gateway/gateway-server.ts";
import { hashOf, testCaller } from "../support/test-submit.ts";
import { TestWorkspace, type TestWorkspaceOptions } from "../support/test-workspace.ts";
import { defaultAsks } from "../support/default-asks.ts";

expectClean();

const stranger = hashOf("another API key");
const notFound = { error: { code: "session_not_found" } };

/** A workspace whose sessions are asked for over its socket. */
class ServedSessions implements AsyncDisposable {
  readonly space: TestWorkspace;
  readonly server: GatewayServer;

  private constructor(space: TestWorkspace) {
    this.space = space;
    this.server = new GatewayServer(space.configuration, space.workspace, space.log);
  }

  static async start(options: TestWorkspaceOptions = {}): Promise<ServedSessions> {
    const served = new ServedSessions(await TestWorkspace.start(options));
    await served.server.start();
    return served;
  }

  client(caller?: string): SessionClient {
    const { socketPath } = this.space.configuration;
    return new SessionClient({ socketPath, ...(caller === undefined ? {} : { caller }) });
  }

  /** The export's lines, read back. */
  async export(id: string): Promise<Record<string, unknown>[]> {
    const lines = (await text(await this.client().export(id))).split("\n");
    expect(lines.pop()).toBe("");
    return lines.map((line): Record<string, unknown> => JSON.parse(line));
  }

  /** The file of the only session of Claude's. */
  async transcript(): Promise<string> {
    const { folder } = this.space;
    for await (const file of glob(folder.join("claude-config", "projects", "*", "*.jsonl"))) return file;
    throw new Error("there is no transcript");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.space.close();
    await this.server.close();
    await this.space[Symbol.asyncDispose]();
  }
}

async function openFiles(): Promise<string[]> {
  const descriptors = await readdir("/proc/self/fd");
  return Promise.all(descriptors.map(async (fd) => readlink(`/proc/self/fd/${fd}`).catch(() => "")));
}

test("sessions are listed with what they are, the last used first", async () => {
  await using served = await ServedSessions.start();
  const { space } = served;
  expect(await served.client().list()).toEqual([]);
  const before = Date.now();
  await space.run("hi", { session: "claudes" });
  await space.run("hi", { session: "program", agent: "seed" });
  await space.run("!error 500", { session: "claudes" });
  const listed = await served.client().list();
  expect(listed).toEqual([
    {
      id: "claudes",
      key: "claude::claudes",
      agent: "claude",
      state: "idle",
      createdAt: expect.any(Number),
      usedAt: expect.any(Number),
      turns: 2,
      pid: expect.any(Number),
      agentSession: expect.stringMatching(/^[0-9a-f-]{36}$/),
    },
    expect.objectContaining({ id: "program", agent: "seed", state: "idle", turns: 1 }),
  ]);
  expect(listed[1]).not.toHaveProperty("agentSession");
  expect(listed[1]?.pid).not.toBe(listed[0]?.pid);
  const [{ createdAt, usedAt } = { createdAt: 0, usedAt: 0 }] = listed;
  expect(createdAt).toBeGreaterThanOrEqual(before);
  expect(usedAt).toBeGreaterThanOrEqual(createdAt);
});

test("a session runs, is idle, and is cold without its process, which keeps its place in Claude", async () => {
  await using served = await ServedSessions.start();
  const { space } = served;
  const stateNow = async () => (await served.client().get("s")).session;
  const turn = space.submit("!slow 1000 20");
  await turn.untilText("w1");
  const running = await stateNow();
  expect(running).toMatchObject({ state: "running", turns: 1 });
  space.workspace.cancel(turn.id, "over");
  await turn.outcome;
  await eventually(async () => expect(await stateNow()).toMatchObject({ state: "idle" }));
  space.workspace.evictOldest();
  await eventually(async () => expect(await stateNow()).toMatchObject({ state: "cold" }));
  await eventually(async () => expect(await stateNow()).not.toHaveProperty("pid"));
  expect((await stateNow()).agentSession).toBe(running.agentSession);
});

test("a session is told with its turns, oldest first, and how each ended", async () => {
  await using served = await ServedSessions.start();
  const first = await served.space.run("hi");
  const second = served.space.submit("!slow 1000 20");
  await second.untilText("w1");
  const { turns } = await served.client().get("s");
  const times = { acceptedAt: expect.any(Number), endedAt: expect.any(Number) };
  expect(turns).toEqual([
    { id: first.turn.id, state: "completed", ...times },
    { id: second.id, state: "started", acceptedAt: expect.any(Number) },
  ]);
  served.space.workspace.cancel(second.id, "over");
  await second.outcome;
  expect((await served.client().get("s")).turns[1]).toEqual({
    id: second.id,
    state: "cancelled",
    errorCode: "turn_cancelled",
    ...times,
  });
});

test("an API key has its own sessions only; those of another are not there for it", async () => {
  await using served = await ServedSessions.start();
  const { space } = served;
  await space.run("hi", { session: "mine" });
  await space.run("hi", { session: "theirs", request: { caller: stranger } });
  const mine = served.client(testCaller);
  expect((await mine.list()).map(({ id }) => id)).toEqual(["mine"]);
  expect((await served.client().list()).map(({ id }) => id)).toEqual(["theirs", "mine"]);
  for (const ask of [mine.get("theirs"), mine.end("theirs"), mine.export("theirs"), mine.get("no/ body?#")])
    await expect(ask).rejects.toMatchObject(notFound);
  expect(space.workspace.status()).toMatchObject({ processes: 2, sessions: 2 });
  expect(await mine.get("mine")).toMatchObject({ session: { id: "mine" } });
});

test("to end a session cancels its turns, ends its process and forgets it; then it is not there", async () => {
  await using served = await ServedSessions.start();
  const { space } = served;
  await space.run("hi");
  const other = await space.run("hi", { session: "other" });
  const running = space.submit("!slow 1000 20");
  await running.untilText("w1");
  const waiting = space.submit("never");
  await served.client().end("s");
  const why = { code: "turn_cancelled", message: "the turn was cancelled: its session was ended" };
  expect(await running.outcome).toEqual({ state: "cancelled", error: why });
  expect(await waiting.outcome).toMatchObject({ state: "refused", error: why });
  expect(space.exits).toEqual(["ended"]);
  expect(space.log.fieldsOf("journal.write_failed")).toEqual([]);
  expect(space.workspace.status()).toMatchObject({ processes: 1, sessions: 1, turns: 0 });
  expect(space.follow(running.id).events).toEqual(["gone"]);
  await expect(served.client().end("s")).rejects.toMatchObject(notFound);
  await expect(served.client().get("s")).rejects.toMatchObject(notFound);
  expect((await served.client().get("other")).turns).toMatchObject([{ id: other.turn.id }]);
});

test("of two who end a session at once one is told that it is not there", async () => {
  await using served = await ServedSessions.start();
  await served.space.run("hi");
  const ends = await Promise.allSettled([served.client().end("s"), served.client().end("s")]);
  expect(ends.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
  expect(ends.find(({ status }) => status === "rejected")).toMatchObject({ reason: notFound });
});

test("a turn that comes while its session is ended begins it anew, and loses nothing", async () => {
  await using served = await ServedSessions.start();
  const { space } = served;
  await space.run("hi");
  const { session: before } = await served.client().get("s");
  const running = space.submit("!slow 1000 20");
  await running.untilText("w1");
  const ending = space.workspace.endSession("s");
  const next = await space.run("hi again");
  await ending;
  expect(next.outcome.state).toBe("completed");
  expect(next.answer).toBe("fake: hi again (turn 1 of this conversation)");
  const { session, turns } = await served.client().get("s");
  expect(session.agentSession).not.toBe(before.agentSession);
  expect(turns.map(({ id }) => id)).toEqual([next.turn.id]);
});

test("a session whose agent is not configured any more is listed, told, exported and ended", async () => {
  await using folder: TempFolder = await tempFolder();
  const retired = {
    driver: "headless",
    workspace: "w",
    permissionMode: "default",
    onInterrupt: "report",
    instructions: "append",
    reasoning: "full",
    files: "link",
    asks: defaultAsks,
  } as const;
  {
    await using first = await TestWorkspace.start({ folder, agents: { retired } });
    await first.run("hi", { agent: "retired" });
  }
  await using served = await ServedSessions.start({ folder, epoch: 2 });
  expect(await served.client().list()).toMatchObject([{ agent: "retired", state: "cold", turns: 1 }]);
  expect(await served.export("s")).toMatchObject([{ session: "s" }, { state: "completed" }]);
  await served.client().end("s");
  expect(await served.client().list()).toEqual([]);
});

test("an export has the session, each turn with its answer, and Claude's transcript line by line", async () => {
  await using served = await ServedSessions.start();
  const { space } = served;
  const good = await space.run("hi");
  const tool = await space.run("!tool");
  const bad = await space.run("!error 500");
  const { session } = await served.client().get("s");
  const [first, ...lines] = await served.export("s");
  const iso = expect.stringMatching(/^\d{4}-\d\d-\d\dT/);
  expect(first).toEqual({
    session: "s",
    key: "claude::s",
    agent: "claude",
    created_at: iso,
    used_at: iso,
    agent_session: session.agentSession,
    allowed: [],
  });
  const times = { accepted_at: iso, ended_at: iso };
  expect(lines.slice(0, 2)).toEqual([
    { turn: good.turn.id, state: "completed", ...times, answer: good.answer },
    {
      turn: tool.turn.id,
      state: "completed",
      ...times,
      answer: tool.answer,
      reasoning: tool.turn.reasoningText,
    },
  ]);
  expect(tool.turn.reasoningText).not.toBe("");
  const { error } = bad.outcome as { readonly error: { readonly code: string; readonly message: string } };
  expect(lines[2]).toMatchObject({
    turn: bad.turn.id,
    state: "failed",
    error: { code: error.code, message: error.message },
  });
  const transcript = await text(createReadStream(await served.transcript()));
  expect(lines.slice(3)).toEqual(
    transcript
      .trimEnd()
      .split("\n")
      .map((line): object => ({ transcript: JSON.parse(line) })),
  );
  expect(JSON.stringify(lines.slice(3))).toContain("!tool");
});

test("an answer that is not kept whole is null, and a half-written transcript line is left out", async () => {
  await using served = await ServedSessions.start({ limits: { turnLogBytes: 1024 } });
  const { turn } = await served.space.run("!slow 400 1");
  const short = await served.space.run("hi");
  const file = await served.transcript();
  await appendFile(file, '{"type":"user","half a li\n{"type":"whole"}\n{"type":"cut');
  const lines = await served.export("s");
  expect(lines[1]).toMatchObject({ turn: turn.id, state: "completed", answer: null });
  expect(lines[2]).toMatchObject({ turn: short.turn.id, answer: short.answer });
  expect(lines.at(-1)).toEqual({ transcript: { type: "whole" } });
  expect(JSON.stringify(lines)).not.toContain("half a li");
});

test("an export is read from the file only as fast as its reader takes it, and not on when that one leaves", async () => {
  await using served = await ServedSessions.start();
  await served.space.run("hi");
  const file = await served.transcript();
  const filler = `${JSON.stringify({ type: "filler", text: "x".repeat(1000) })}\n`.repeat(1000);
  for (let part = 0; part < 16; part++) await appendFile(file, filler);
  const reading = await served.client().export("s");
  reading.pause();
  expect((await served.export("s")).filter((line) => "transcript" in line).length).toBeGreaterThan(16_000);
  await eventually(async () => expect((await openFiles()).filter((open) => open === file)).toHaveLength(1));
  reading.on("error", () => {}); // it is cut by its reader
  reading.destroy();
  await eventually(async () => expect(await openFiles()).not.toContain(file));
});

test("an export that the worker cannot finish ends with an error, not like a whole one", async () => {
  await using served = await ServedSessions.start();
  for (let turn = 0; turn < 4; turn++) await served.space.run("!huge 1000000");
  const reading = await served.client().export("s");
  reading.pause();
  await served.space.close(); // its journal, too
  await expect(text(reading)).rejects.toThrow("aborted");
  expect(served.space.log.fieldsOf("session_api.cut")).toHaveLength(1);
});

test("a worker that closes says that it is being replaced", async () => {
  await using served = await ServedSessions.start();
  await served.space.run("hi");
  await served.space.close();
  const code = { error: { code: "worker_unavailable", retryAfterMs: 1_000 } };
  for (const ask of [
    served.client().list(),
    served.client().get("s"),
    served.client().end("s"),
    served.client().export("s"),
  ])
    await expect(ask).rejects.toMatchObject(code);
});

test("a worker that is not there is said not to answer", async () => {
  const client = new SessionClient({ socketPath: "/nowhere/worker.sock" });
  await expect(client.list()).rejects.toMatchObject({ error: { code: "worker_unavailable" } });
});

test.for([
  ["GET", "/"],
  ["POST", "/sessions"],
  ["PUT", "/sessions/s"],
  ["DELETE", "/sessions/s/export"],
  ["GET", "/sessions/s/other"],
])("%s %s is not part of it", async ([method, path]) => {
  await using served = await ServedSessions.start();
  const { promise, resolve } = Promise.withResolvers<[number | undefined, string]>();
  const { socketPath } = served.space.configuration;
  const asking = request({ socketPath, agent: false, method: method!, path: path! }, (answer) => {
    void text(answer).then((body) => resolve([answer.statusCode, body]));
  });
  asking.end();
  const [status, body] = await promise;
  expect([status, JSON.parse(body)]).toEqual([
    409,
    { error: { code: "not_found", message: expect.any(String) } },
  ]);
});
