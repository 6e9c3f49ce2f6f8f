import { limits } from "../instance/configuration.ts";
import type { Role } from "../instance/process-tree.ts";
import type { Random } from "../random.ts";
import type { Fault, ScheduledFault, Toxic } from "./fault.ts";

/** How much time passes between two faults, on average in ms. */
const PACE_MS = 300;
/**
 * Least time between two faults of one role, in ms. What is killed again and again before it serves is kept
 * down by its restart budget, and nothing would be learned but that.
 */
const GAP_MS: Readonly<Record<Role, number>> = { agent: 0, worker: 0, gateway: 2_500, supervisor: 6_000 };

const toxics: Readonly<Record<Toxic["type"], (random: Random) => Toxic>> = {
  latency: (random) => ({ type: "latency", delayMs: random.between(20, 400) }),
  slicer: () => ({ type: "slicer" }),
  reset: () => ({ type: "reset" }),
  blackhole: () => ({ type: "blackhole" }),
  limit_data: (random) => ({ type: "limit_data", bytes: random.between(1, 20_000) }),
};

/** The faults of a run, without end: the same seed gives the same ones. */
export function* schedule(random: Random): Generator<ScheduledFault, never, undefined> {
  const lastAt = new Map<Role, number>();
  for (let at = 0; ;) {
    const afterMs = Math.round(-Math.log(1 - random.next()) * PACE_MS);
    at += afterMs;
    let fault = nextFault(random);
    if ("role" in fault) {
      const { role } = fault;
      if (at - (lastAt.get(role) ?? -Infinity) < GAP_MS[role]) fault = { kind: "kill", role: "agent" };
      else lastAt.set(role, at);
    }
    yield { afterMs, choice: random.next(), fault };
  }
}

function nextFault(random: Random): Fault {
  const kind = random.weighted<Fault["kind"]>({ kill: 14, pause: 3, restart: 1, cut_plugin: 2, toxic: 2 });
  switch (kind) {
    case "kill":
      return { kind, role: random.weighted<Role>({ agent: 10, worker: 6, gateway: 3, supervisor: 1 }) };
    case "pause":
      // Shorter and longer than what a supervisor puts up with.
      return {
        kind,
        role: random.weighted<Role>({ agent: 6, worker: 3, gateway: 1, supervisor: 0.5 }),
        forMs: random.chance(0.5) ? random.between(50, 1_000) : 3 * limits.hangMs,
      };
    case "toxic":
      return { kind, toxic: toxics[random.pick(toxicTypes)](random), forMs: random.between(200, 3_000) };
    case "restart":
    case "cut_plugin":
      return { kind };
  }
}

const toxicTypes = Object.keys(toxics) as readonly Toxic["type"][];
