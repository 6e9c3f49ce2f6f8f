import type { Order } from "../conversation/order.ts";
import type { Random } from "../random.ts";
import type { TurnPlan } from "./client-turn.ts";

type Size = "short" | "middling" | "long" | "slow";

const sizes: Readonly<Record<Size, (random: Random) => Omit<Order, "canary" | "usesTool">>> = {
  short: (random) => ({ parts: random.between(1, 4), everyMs: 0, partBytes: 24 }),
  middling: (random) => ({ parts: random.between(5, 30), everyMs: random.between(5, 40), partBytes: 60 }),
  long: (random) => ({ parts: random.between(100, 250), everyMs: 2, partBytes: random.between(40, 900) }),
  slow: (random) => ({ parts: random.between(4, 10), everyMs: random.between(150, 400), partBytes: 30 }),
};

/** The next turn of a session: long or short, streamed or not, with a key or without, and how its client behaves. */
export function nextPlan(random: Random, canary: string): TurnPlan {
  const size = random.weighted<Size>({ short: 4, middling: 4, long: 2, slow: 2 });
  const order = { canary, ...sizes[size](random), usesTool: random.chance(0.1) };
  const keyed = random.chance(0.75);
  const streamed = random.chance(0.7);
  const manner = random.weighted<TurnPlan["manner"]>({
    stays: 16,
    leaves: 1,
    returns: keyed ? 2 : 0,
    cancels: streamed ? 1 : 0,
  });
  const resumesBy = random.chance(0.5) ? "post" : "events";
  return { order, streamed, keyed, resumesBy, manner, afterMs: random.between(0, 600) };
}

/** A short turn that has no reason to fail, to see that a session is well. */
export function proofPlan(canary: string): TurnPlan {
  const order = { canary, parts: 3, everyMs: 0, partBytes: 24, usesTool: false };
  return { order, streamed: true, keyed: true, resumesBy: "post", manner: "stays", afterMs: 0 };
}
