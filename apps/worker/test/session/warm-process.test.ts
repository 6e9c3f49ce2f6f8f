import { eventually, expectClean } from "@synthesis/testkit";
import type { CloseReason } from "@synthesis/kit";
import { expect, test } from "vitest";
import type { AgentProcess } from "../../src/drivers/agent-process.ts";
import { Slots } from "../../src/session/slots.ts";
import { WarmProcess } from "../../src/session/warm-process.ts";

expectClean();

const never = new AbortController().signal;
const fits = () => true;
const reason = { code: "test", message: "the test asks for it" };

/** An agent that runs no turns and ends when the test says so. */
class IdleAgent implements AgentProcess {
  readonly pid = 1;
  isAlive = true;
  readonly started = Promise.resolve();
  readonly #ended = Promise.withResolvers<CloseReason>();
  readonly closed = this.#ended.promise;
  readonly anchor = undefined;

  run(): never {
    throw new Error("no turn is run here");
  }

  fits(): boolean {
    return true;
  }

  withdrawSteer(): void {}

  async steer(): Promise<boolean> {
    return false;
  }

  interrupt(): void {}

  async close(): Promise<void> {
    await this.closed;
  }

  async kill(): Promise<void> {
    this.#ended.resolve(reason);
    await this.closed;
  }
}

/** A session's process that is idle, in the only slot. */
async function idle() {
  const slots = new Slots(1, () => {});
  const warm = new WarmProcess({ slots, starts: new Slots(1, () => {}), idleMs: 60_000, onChange: () => {} });
  await warm.take(never, fits);
  const agent = new IdleAgent();
  warm.open(agent);
  warm.rest();
  return { warm, agent };
}

test("idle -> running: the idle process is taken; an aborted turn takes nothing and leaves it idle", async () => {
  const { warm, agent } = await idle();
  await expect(warm.take(AbortSignal.abort(new Error("gone")), fits)).rejects.toThrow("gone");
  expect([warm.isWarm, warm.idleSince]).toEqual([true, expect.any(Number)]);
  expect(await warm.take(never, fits)).toBe(agent);
  expect([warm.isWarm, warm.idleSince]).toEqual([true, undefined]);
  await agent.kill();
});

test("idle -> opening: a process that has died is not taken, also before its end is complete", async () => {
  const { warm, agent } = await idle();
  agent.isAlive = false;
  const next = warm.take(never, fits);
  await agent.kill();
  expect(await next).toBeUndefined();
  warm.rest();
});

test("idle -> closing: a process that does not fit the turn is ended, and a place for another is given then", async () => {
  const { warm, agent } = await idle();
  const next = warm.take(never, () => false);
  expect([warm.isWarm, warm.current]).toEqual([false, agent]);
  await agent.kill();
  expect(await next).toBeUndefined();
  warm.rest();
});

test("closing: a turn that is aborted does not wait for the end, the next one does", async () => {
  const { warm, agent } = await idle();
  const evicted = warm.evict(reason);
  expect([warm.isWarm, warm.isCold, warm.current]).toEqual([false, false, agent]);
  await expect(warm.take(AbortSignal.abort(new Error("gone")), fits)).rejects.toThrow("gone");
  const leaving = new AbortController();
  const waiting = expect(warm.take(leaving.signal, fits)).rejects.toThrow("left");
  leaving.abort(new Error("left"));
  await waiting;
  const next = warm.take(never, fits);
  await agent.kill();
  await evicted;
  expect(await next).toBeUndefined();
  expect(warm.isCold).toBe(false);
  warm.rest();
  expect(warm.isCold).toBe(true);
});

test("opening: who finds another starting waits till that one has said something, or has ended", async () => {
  const [slots, starts] = [new Slots(2, () => {}), new Slots(1, () => {})];
  const [first, second] = [1, 2].map(
    () => new WarmProcess({ slots, starts, idleMs: 60_000, onChange: () => {} }),
  );
  await first?.take(never, fits);
  const started = Promise.withResolvers<void>();
  const agent = Object.assign(new IdleAgent(), { started: started.promise });
  first?.open(agent);
  const waits = second?.take(never, fits);
  await eventually(() => expect(starts.isShort).toBe(true));
  started.resolve();
  await waits;
  second?.rest();
  await agent.kill();
});
