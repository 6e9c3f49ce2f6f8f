import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { type Peer, TestBridge } from "../../protocol/test/test-bridge.ts";

const MAIN = fileURLToPath(new URL("../src/main.ts", import.meta.url));

/** The real agent process, connected to a bridge. */
async function running() {
  const stack = new AsyncDisposableStack();
  const bridge = stack.use(await TestBridge.listen());
  const child = spawnAgent({ SYNTHESIS_BRIDGE_URL: bridge.url, SYNTHESIS_SESSION_KEY: "echo::1" });
  const exited = once(child, "exit").then(([code]) => code as unknown);
  stack.defer(async () => {
    child.kill("SIGKILL");
    await exited;
  });
  const { peer, hello } = await bridge.greeted();
  return { peer, hello, child, exited, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

function spawnAgent(env: NodeJS.ProcessEnv): ChildProcess {
  return spawn(process.execPath, [MAIN], { env: { PATH: process.env["PATH"], ...env }, stdio: "ignore" });
}

/** The parts of one answer up to its final one. */
async function answer(peer: Peer, id: string, prompt: string): Promise<unknown[]> {
  peer.inbound(id, prompt);
  const parts: unknown[] = [];
  for (;;) {
    const frame = await peer.next();
    expect(frame).toMatchObject({ type: "reply", message_id: id });
    parts.push(frame["content"]);
    if (frame["final"] === true) return parts;
  }
}

test("says the prompt back word by word, and counts from the second turn on", async () => {
  await using world = await running();
  expect(world.hello).toMatchObject({ openclaw_session: "echo::1", pid: world.child.pid });
  expect(await answer(world.peer, "t1", "hello  wörld")).toEqual(["You", " said:", " hello", "  wörld"]);
  expect((await answer(world.peer, "t2", "a\n\nb\n")).join("")).toBe(
    "You said: a\n\nb\n (turn 2 of this session)",
  );
  expect((await answer(world.peer, "t3", "")).join("")).toBe("You said:  (turn 3 of this session)");
});

test("an empty first prompt is answered exactly", async () => {
  await using world = await running();
  expect((await answer(world.peer, "t1", "")).join("")).toBe("You said: ");
});

test("!slow sends its parts 100 ms apart and stops at once when cancelled", async () => {
  await using world = await running();
  const startedAt = performance.now();
  expect(await answer(world.peer, "t1", "please\n!slow 2")).toEqual(["part 1 of 2\n", "part 2 of 2\n", ""]);
  expect(performance.now() - startedAt).toBeGreaterThan(190);
  world.peer.inbound("t2", "!slow 99999");
  expect(await world.peer.next()).toMatchObject({ content: "part 1 of 99999\n" });
  world.peer.send({ type: "cancel", message_id: "t2" });
  expect(await world.peer.next()).toEqual({ type: "cancelled", message_id: "t2" });
});

test("exits when the connection is closed for good, even in the middle of an answer", async () => {
  await using world = await running();
  world.peer.inbound("t1", "!slow 99999");
  await world.peer.next();
  world.peer.socket.close(4002, "replaced by reconnect");
  expect(await world.exited).toBe(0);
});

test("fails without its environment", async () => {
  const [code] = (await once(spawnAgent({}), "exit")) as unknown[];
  expect(code).toBe(1);
});
