import { readdir } from "node:fs/promises";
import { eventually, expectClean, liveProcess } from "@synthesis/testkit";
import { expect, test } from "vitest";
import { Client } from "undici";
import { openStream, type AnswerStream } from "./support/answer-stream.ts";
import { ask, type Answer } from "./support/chat.ts";
import { Cli } from "./support/cli.ts";
import { startWithFakeClaude } from "./support/fake-claude.ts";
import type { Synthesis } from "./support/synthesis.ts";

expectClean();

const sessions = ["a", "b", "c"] as const;

/** `synthesis COMMAND …` for this instance. */
function command(synthesis: Synthesis, ...args: readonly string[]): Cli {
  return new Cli([...args, "--state-dir", synthesis.folder.join("state")], synthesis.folder);
}

/** A turn of each session that has begun to answer; it takes long enough for a command to be run meanwhile. */
async function slowTurns(synthesis: Synthesis): Promise<AnswerStream[]> {
  return Promise.all(
    sessions.map(async (session) => {
      const stream = await openStream(synthesis, { model: "claude", session, say: "!slow 100 50" });
      await stream.until("w1");
      return stream;
    }),
  );
}

/** One short turn of workspace beta after the other, till `over`; their answers. */
async function keepAsking(synthesis: Synthesis, over: AbortSignal): Promise<Answer[]> {
  const answers: Answer[] = [];
  while (!over.aborted) {
    answers.push(await ask(synthesis, { model: "claude-beta", session: "elsewhere", say: "hi" }));
  }
  return answers;
}

/** Each is answered in full, without an error. */
async function expectWhole(streams: readonly AnswerStream[]): Promise<void> {
  for (const stream of streams) {
    await stream.end();
    expect(stream).toMatchObject({ isDone: true, error: undefined });
    expect(stream.content).toContain("w100");
  }
}

test("a workspace is restarted under load: nobody sees an error, and other workspaces see nothing", async () => {
  await using synthesis = await startWithFakeClaude();
  for (const session of sessions) await ask(synthesis, { model: "claude", session, say: "one" });
  await ask(synthesis, { model: "claude-beta", session: "elsewhere", say: "hi" });
  const over = new AbortController();
  const elsewhere = keepAsking(synthesis, over.signal);
  const running = await slowTurns(synthesis);
  const waiting = sessions.map(async (session) => ask(synthesis, { model: "claude", session, say: "three" }));
  await eventually(async () => expect((await synthesis.health()).waiting).toBe(3));
  const [alpha, beta] = ["alpha", "beta"].map((name) => synthesis.process(`synthesis-worker ${name}`).pid);

  const restart = command(synthesis, "restart", "alpha");
  expect(await restart.exit).toEqual({ code: 0, signal: null });
  expect(restart.stdout.text).toMatch(/^alpha: [123] turns? (is|are) finishing …$/m);
  expect(restart.stdout.text).toMatch(/^alpha: restarted$/m);
  expect(liveProcess(alpha!)).toBeUndefined();

  await expectWhole(running);
  expect((await Promise.all(waiting)).map(({ content }) => content)).toEqual(
    sessions.map(() => "fake: three (turn 3 of this conversation)"),
  );
  over.abort();
  const others = await elsewhere;
  expect(others.map(({ status }) => status)).toEqual(others.map(() => 200));
  expect(synthesis.process("synthesis-worker beta").pid).toBe(beta);
  expect((await synthesis.health()).workers).toMatchObject([
    { workspace: "alpha", restarts: 0 },
    { workspace: "beta", restarts: 0 },
  ]);
});

test("a turn that does not finish in time is cut, and the restart goes on", async () => {
  await using synthesis = await startWithFakeClaude();
  const stream = await openStream(synthesis, { model: "claude", session: "a", say: "!slow 10000 20" });
  await stream.until("w1");
  const restart = command(synthesis, "restart", "alpha", "--drain", "0.2");
  expect(await restart.exit).toEqual({ code: 0, signal: null });
  await stream.end();
  expect(stream).toMatchObject({ isDone: false, error: { code: "turn_interrupted" } });
  expect(await ask(synthesis, { model: "claude", session: "a", say: "next" })).toMatchObject({ status: 200 });
});

test("the gateway is restarted under load: no connection is refused, no answer is lost", async () => {
  await using synthesis = await startWithFakeClaude();
  const over = new AbortController();
  const asking = [1, 2, 3].map(async () => keepAsking(synthesis, over.signal));
  const running = await slowTurns(synthesis);
  const [gateway, worker] = ["synthesis-gateway", "synthesis-worker alpha"].map(
    (title) => synthesis.process(title).pid,
  );
  const control = (await readdir(synthesis.folder.path, { recursive: true })).find((name) =>
    name.endsWith("supervisor.sock"),
  );
  const client = new Client("http://supervisor", { socketPath: synthesis.folder.join(control ?? "") });
  const answer = await client.request({ method: "POST", path: "/v1/gateway/restart", body: "{}" });
  expect([answer.statusCode, await answer.body.json()]).toEqual([200, { pid: expect.any(Number) as number }]);
  await client.close();
  expect(liveProcess(gateway!)).toBeUndefined();
  await expectWhole(running);
  over.abort();
  const answers = (await Promise.all(asking)).flat();
  expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200));
  expect(synthesis.process("synthesis-worker alpha").pid).toBe(worker);
});

test("gateway and workers are restarted together; an unknown workspace is refused in one line", async () => {
  await using synthesis = await startWithFakeClaude();
  await ask(synthesis, { model: "claude", session: "a", say: "one" });
  const titles = ["synthesis-supervisor", "synthesis-gateway", "synthesis-worker alpha"];
  const before = titles.map((title) => synthesis.process(title).pid);
  const restart = command(synthesis, "restart");
  expect(await restart.exit).toEqual({ code: 0, signal: null });
  expect(restart.stdout.text).toMatch(/^gateway: restarted$/m);
  expect(restart.stdout.text).toMatch(/^alpha: restarted$/m);
  const after = titles.map((title) => synthesis.process(title).pid);
  expect(before.map((pid, index) => pid === after[index])).toEqual([true, false, false]);
  expect(await ask(synthesis, { model: "claude", session: "a", say: "two" })).toMatchObject({
    content: "fake: two (turn 2 of this conversation)",
  });
  const nothing = command(synthesis, "restart", "beta");
  expect(await nothing.exit).toEqual({ code: 0, signal: null });
  expect(nothing.stdout.text).toContain("beta: nothing to restart");
  const unknown = command(synthesis, "restart", "nowhere");
  expect(await unknown.exit).toEqual({ code: 1, signal: null });
  expect(unknown.stderr.text).toMatch(/^there is no workspace "nowhere": .*\n$/);
});

test.each(["synthesis stop", "SIGTERM"] as const)(
  "%s lets a running turn finish, then ends with 0",
  async (how) => {
    await using synthesis = await startWithFakeClaude();
    const stream = await openStream(synthesis, { model: "claude", session: "a", say: "!slow 100 50" });
    await stream.until("w1");
    const ended = expectWhole([stream]);
    if (how === "SIGTERM") await synthesis.stop("SIGTERM");
    else {
      const stop = command(synthesis, "stop");
      expect(await stop.exit).toEqual({ code: 0, signal: null });
      expect(stop.stdout.text).toBe("Stopping: 1 turn is finishing …\nStopped.\n");
      expect(await synthesis.cli.exit).toEqual({ code: 0, signal: null });
    }
    await ended;
    expect(synthesis.cli.stdout.text).toContain("Stopping: 1 turn is finishing (Ctrl-C again cuts it) …\n");
    expect(synthesis.cli.stdout.text).toMatch(/Stopped\.\n$/);
  },
);

test("a second SIGTERM cuts the turns that are finishing", async () => {
  await using synthesis = await startWithFakeClaude();
  const stream = await openStream(synthesis, { model: "claude", session: "a", say: "!slow 10000 20" });
  await stream.until("w1");
  const ended = stream.end();
  const { child, stdout, exit } = synthesis.cli;
  child.kill("SIGTERM");
  await stdout.until("that it waits", ({ text }) => text.includes("Stopping: 1 turn is finishing"));
  await eventually(() => {
    child.kill("SIGTERM"); // one that comes within half a second of the first is taken for the same
    expect(child.exitCode).toBe(0);
  }, 20_000);
  expect(await exit).toEqual({ code: 0, signal: null });
  await ended;
  expect(stream).toMatchObject({ isDone: false, error: { code: expect.any(String) as string } });
});
