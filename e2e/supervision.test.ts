import { eventually, expectClean, liveProcess } from "@synthesis/testkit";
import { expect, test } from "vitest";
import { openStream } from "./support/answer-stream.ts";
import { ask } from "./support/chat.ts";
import { Cli } from "./support/cli.ts";
import { startWithFakeClaude } from "./support/fake-claude.ts";
import type { Synthesis } from "./support/synthesis.ts";

expectClean();

/** What `synthesis status` prints. */
async function status(synthesis: Synthesis): Promise<string> {
  const cli = new Cli(["status", "--state-dir", synthesis.folder.join("state")], synthesis.folder);
  await cli.exit;
  return cli.stdout.text;
}

test("a stopped worker is reported and replaced; its agent is gone with it, its turn is told, and nobody else notices", async () => {
  await using synthesis = await startWithFakeClaude({ limits: { hangMs: 3_000 } });
  await ask(synthesis, { model: "claude", session: "a", say: "one" });
  await ask(synthesis, { model: "claude-beta", session: "b", say: "one" });
  const stream = await openStream(synthesis, { model: "claude", session: "a", say: "!slow 10000 20" });
  await stream.until("w1");
  const worker = synthesis.process("synthesis-worker alpha").pid;
  const [agent] = synthesis.agents("alpha");
  process.kill(worker, "SIGSTOP");
  await synthesis.log.line("child.unresponsive", { pid: worker });
  expect(await status(synthesis)).toMatch(new RegExp(`^alpha: unresponsive, pid ${worker},`, "m"));
  expect(await ask(synthesis, { model: "claude-beta", session: "b", say: "two" })).toMatchObject({
    status: 200,
  });
  await stream.end();
  expect(stream).toMatchObject({ isDone: false, error: { code: "turn_interrupted" } });
  await eventually(() => expect([worker, agent!.pid].flatMap((pid) => liveProcess(pid) ?? [])).toEqual([]));
  expect(await ask(synthesis, { model: "claude", session: "a", say: "again" })).toMatchObject({
    status: 200,
  });
  expect(await status(synthesis)).toMatch(/^alpha: serving, pid \d+, 1 restarts,/m);
});

test("while the gateway is dead connections wait, and the next one serves them", async () => {
  await using synthesis = await startWithFakeClaude();
  await ask(synthesis, { model: "claude", session: "a", say: "warm up" });
  for (let round = 1; round <= 3; round += 1) {
    await synthesis.crash(synthesis.process("synthesis-gateway").pid);
    const headers = { connection: "close" };
    const answers = await Promise.all(
      ["x", "y", "z"].map(async (session) =>
        ask(synthesis, { model: "claude", session, headers, say: "hi" }),
      ),
    );
    expect(answers.map(({ content }) => content)).toEqual(
      answers.map(() => `fake: hi (turn ${round} of this conversation)`),
    );
  }
  expect(await status(synthesis)).toMatch(/^gateway: serving, pid \d+, 3 restarts, http:/m);
});

test("a killed supervisor comes back with everything, also where what it left is stopped", async () => {
  await using synthesis = await startWithFakeClaude();
  await ask(synthesis, { model: "claude", session: "a", say: "one" });
  const left = ["synthesis-gateway", "synthesis-worker alpha"].map((title) => synthesis.process(title).pid);
  left.push(...synthesis.agents("alpha").map(({ pid }) => pid));
  for (const pid of left) process.kill(pid, "SIGSTOP");
  await synthesis.crash(synthesis.process("synthesis-supervisor").pid);
  await eventually(() => expect(left.flatMap((pid) => liveProcess(pid) ?? [])).toEqual([]), 10_000);
  await eventually(async () => {
    expect(await ask(synthesis, { model: "claude", session: "a", say: "two" })).toMatchObject({
      content: "fake: two (turn 2 of this conversation)",
    });
  }, 10_000);
});
