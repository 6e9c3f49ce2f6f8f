import { eventually, expectClean, liveProcess, reply } from "@synthesis/testkit";
import { expect, test } from "vitest";
import { openStream } from "./support/answer-stream.ts";
import { ask } from "./support/chat.ts";
import { startWithFakeClaude } from "./support/fake-claude.ts";
import { WithClaude } from "./support/real-claude.ts";
import type { Synthesis } from "./support/synthesis.ts";

expectClean();

/** The pids of a workspace's worker and agents. */
function pidsOf(synthesis: Synthesis, workspace: string): number[] {
  return [synthesis.process(`synthesis-worker ${workspace}`), ...synthesis.agents(workspace)].map(
    ({ pid }) => pid,
  );
}

test("a killed worker takes only its own turns with it, and serves again with their sessions", async () => {
  await using running = await WithClaude.start();
  const { api, synthesis } = running;
  await ask(synthesis, { model: "claude", session: "a", say: "remember me" });
  const [gateA, gateB] = [reply.gated(), reply.gated()];
  api.next(gateA.reply);
  const a = await openStream(synthesis, { model: "claude", session: "a", say: "long one" });
  await gateA.opened;
  api.next(gateB.reply);
  const b = await openStream(synthesis, { model: "claude-beta", session: "b", say: "long one" });
  gateA.push("a1");
  gateB.push("b1");
  await Promise.all([a.until("a1"), b.until("b1")]);
  const [worker, claude] = pidsOf(synthesis, "alpha");

  await synthesis.crash(worker!);
  await a.end();
  expect(a).toMatchObject({ content: "a1", isDone: false, error: { code: "turn_interrupted" } });
  await eventually(() => expect(liveProcess(claude!)).toBeUndefined());

  gateB.push(", b2");
  await b.until("b2");
  const again = await ask(synthesis, { model: "claude", session: "a", say: "who am I?" });
  expect(again.content).toContain("who am I?");
  expect(api.conversations.at(-1)?.history[0]?.text).toBe("remember me");
  gateB.push(", b3");
  gateB.end();
  await b.end();
  expect(b).toMatchObject({ content: "b1, b2, b3", isDone: true, error: undefined });
  expect((await synthesis.health()).workers).toMatchObject([
    { workspace: "alpha", restarts: 1 },
    { workspace: "beta", restarts: 0 },
  ]);
});

test("a killed worker leaves no grandchild of its agents behind", async () => {
  await using synthesis = await startWithFakeClaude();
  const spawned = await ask(synthesis, { model: "claude", session: "a", say: "!spawn" });
  const grandchild = Number(spawned.content);
  expect(liveProcess(grandchild)?.command).toBe("sleep 300");
  await synthesis.crash(synthesis.process("synthesis-worker alpha").pid);
  await eventually(() => expect(liveProcess(grandchild)).toBeUndefined());
  expect(await ask(synthesis, { model: "claude", session: "a", say: "hi" })).toMatchObject({
    content: "fake: hi (turn 2 of this conversation)",
  });
});

test("a killed gateway serves again on its port; workers and warm sessions do not notice (W-5)", async () => {
  await using synthesis = await startWithFakeClaude();
  await ask(synthesis, { model: "claude", session: "a", say: "one" });
  const before = pidsOf(synthesis, "alpha");
  const stream = await openStream(synthesis, { model: "claude", session: "a", say: "!slow 20 5" });
  await stream.until("w2");
  await synthesis.crash(synthesis.process("synthesis-gateway").pid);
  await expect(stream.end()).rejects.toThrow("terminated");
  await eventually(async () => expect((await synthesis.health()).ok).toBe(true));
  // The turn went on without its client: nothing but a client that leaves cancels it.
  await synthesis.log.line("turn.ended", { process: "worker", state: "completed" }, 2);
  expect(await ask(synthesis, { model: "claude", session: "a", say: "three" })).toMatchObject({
    content: "fake: three (turn 3 of this conversation)",
  });
  expect(pidsOf(synthesis, "alpha")).toEqual(before);
});

test("a killed supervisor comes back with gateway and workers, on the same port, and nothing is orphaned (C-3)", async () => {
  await using synthesis = await startWithFakeClaude();
  await ask(synthesis, { model: "claude", session: "a", say: "one" });
  const supervisor = synthesis.process("synthesis-supervisor").pid;
  const before = [synthesis.process("synthesis-gateway").pid, ...pidsOf(synthesis, "alpha")];
  await synthesis.crash(supervisor);
  await eventually(() => expect(before.flatMap((pid) => liveProcess(pid) ?? [])).toEqual([]), 10_000);
  await eventually(async () => expect((await synthesis.health()).ok).toBe(true), 10_000);
  expect(await ask(synthesis, { model: "claude", session: "a", say: "two" })).toMatchObject({
    content: "fake: two (turn 2 of this conversation)",
  });
  expect(synthesis.process("synthesis-supervisor").pid).not.toBe(supervisor);
});

test.each(["SIGINT", "SIGTERM"] as const)(
  "%s ends everything at the drain's deadline at the latest, and a running turn is told",
  async (signal) => {
    await using synthesis = await startWithFakeClaude({ limits: { drainMs: 300 } });
    const stream = await openStream(synthesis, { model: "claude", session: "a", say: "!slow 10000 20" });
    await stream.until("w1");
    const ended = stream.end();
    await synthesis.stop(signal);
    await ended;
    expect(stream).toMatchObject({ isDone: false, error: { code: expect.any(String) } });
    expect(synthesis.cli.stdout.text).toMatch(/Stopped\.\n$/);
  },
);

test("Ctrl-C in the terminal, which reaches every process of the group, ends everything in order", async () => {
  await using synthesis = await startWithFakeClaude({ detached: true, limits: { drainMs: 300 } });
  const stubborn = openStream(synthesis, { model: "claude", session: "a", say: "!hang-stubborn" });
  await synthesis.healthy({ turns: 1, processes: 1 });
  const tree = synthesis.processes.map(({ pid }) => pid);
  process.kill(-synthesis.cli.pid, "SIGINT");
  expect(await synthesis.cli.exit).toEqual({ code: 0, signal: null });
  expect(tree.flatMap((pid) => liveProcess(pid) ?? [])).toEqual([]);
  expect(await (await stubborn).end()).toMatchObject({ isDone: false, error: { code: expect.any(String) } });
  const restarts = synthesis.log.of("child.restarting");
  expect(restarts).toEqual([]);
});
