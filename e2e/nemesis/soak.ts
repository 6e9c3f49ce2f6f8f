import { parseArgs } from "node:util";
import { isCompleted, type ClientTurn } from "./client/client-turn.ts";
import { driveTurn } from "./client/drive-turn.ts";
import { heapOf } from "./harness/heap-of.ts";
import { usageLine, usageOf, type Usage } from "./harness/usage.ts";
import { wholeNumber } from "./harness/whole-number.ts";
import { withInstance } from "./harness/with-instance.ts";
import { workspacesOf } from "./instance/configuration.ts";
import type { Instance } from "./instance/instance.ts";
import { roleHolders } from "./instance/process-tree.ts";

const help = `Usage: pnpm --filter @synthesis/e2e soak [options]

Turn after turn, and what the processes use: at the start, every 1,000 turns, and at the end. Exit code 1 where a
turn failed, or where there are more processes or descriptors, or more is in use of a heap, at the end than at the
start. Uses port 9229, where Node opens its inspector.

  --turns N     turns (10000)
  --sessions N  sessions of each of the four workspaces (4)
  --help        this text
`;
const { values } = parseArgs({
  options: {
    turns: { type: "string", default: "10000" },
    sessions: { type: "string", default: "4" },
    help: { type: "boolean", default: false },
  },
});
const PATIENCE_MS = 60_000;
const IDLE_MS = 30_000;
const EVERY = 1_000;
/** Descriptors that come and go with a connection that is just being closed. */
const LOOSE_DESCRIPTORS = 4;
/** What a heap may have more in use, for what is kept of ended turns and of compiled code. */
const LOOSE_HEAP_MIB = 12;
const say = (line: string) => void process.stdout.write(`${line}\n`);
if (values.help) say(help);
else {
  const turns = wholeNumber("turns", values.turns);
  const sessions = wholeNumber("sessions", values.sessions);
  const isWell = await withInstance({ workspaces: workspacesOf(4, 0) }, (instance) =>
    soak(instance, sessions, turns),
  );
  process.exitCode = isWell ? 0 : 1;
}

async function soak(instance: Instance, sessions: number, turns: number): Promise<boolean> {
  const door = { port: instance.port, host: `127.0.0.1:${instance.port}`, key: instance.key };
  const drivers = instance.workspaces.flatMap((workspace) =>
    Array.from({ length: sessions }, (_, index) => {
      return { door, workspace, session: `${workspace.name}.s${index + 1}`, patienceMs: PATIENCE_MS };
    }),
  );
  const failed: ClientTurn[] = [];
  let asked = 0;
  /** Turns on all sessions at once, till so many have been asked. */
  const askUntil = async (total: number) => {
    const clients = drivers.map(async (driver) => {
      while (asked < total) {
        asked += 1;
        const turn = await driveTurn(driver, planOf(driver.session, asked));
        if (!isCompleted(turn)) failed.push(turn);
      }
    });
    await Promise.all(clients);
    if (!(await instance.isIdleWithin(IDLE_MS))) throw new Error("turns still run though all are answered");
  };
  await askUntil(2 * drivers.length); // every session has its process
  const start = usageOf(instance);
  const heapsAtStart = await heapsOf(instance);
  say(`start: ${usageLine(start)}`);
  for (let total = EVERY; total < turns + EVERY; total += EVERY) {
    await askUntil(Math.min(total, turns));
    say(`${Math.min(total, turns)} turns: ${usageLine(usageOf(instance))}`);
  }
  const end = usageOf(instance);
  const heapGrowth = growth(heapsAtStart, await heapsOf(instance));
  for (const line of heapGrowth.lines) say(line);
  say(`end: ${usageLine(end)}; ${failed.length} turns failed`);
  for (const turn of failed) say(`${turn.order.canary}: ${JSON.stringify(turn.attempts.at(-1)?.outcome)}`);
  return failed.length === 0 && isBackToStart(start, end) && heapGrowth.mostMib <= LOOSE_HEAP_MIB;
}

function planOf(session: string, number: number) {
  const order = {
    canary: `${session}.${number}`,
    parts: 1 + (number % 20),
    everyMs: 0,
    partBytes: 40,
    usesTool: false,
  };
  const manner = "stays" as const;
  return {
    order,
    streamed: number % 3 !== 0,
    keyed: number % 2 === 0,
    resumesBy: "post" as const,
    manner,
    afterMs: 0,
  };
}

function isBackToStart(start: Usage, end: Usage): boolean {
  const roles = ["agent", "worker", "gateway", "supervisor"] as const;
  return roles.every((role) => {
    const [before, after] = [start.roles[role], end.roles[role]];
    return (
      after.processes === before.processes && after.descriptors <= before.descriptors + LOOSE_DESCRIPTORS
    );
  });
}

/** By process, in MiB, after a garbage collection. */
type Heaps = ReadonlyMap<string, number>;

async function heapsOf(instance: Instance): Promise<Heaps> {
  const heaps = new Map<string, number>();
  for (const { role, pid, command } of roleHolders(instance.pid)) {
    if (role !== "agent") heaps.set(command, (await heapOf(pid)) / 1024 / 1024);
  }
  return heaps;
}

function growth(start: Heaps, end: Heaps): { readonly lines: readonly string[]; readonly mostMib: number } {
  const lines: string[] = [];
  let mostMib = 0;
  for (const [name, after] of end) {
    const before = start.get(name) ?? 0;
    mostMib = Math.max(mostMib, after - before);
    lines.push(`heap of ${name}: ${before.toFixed(1)} MiB at the start, ${after.toFixed(1)} MiB at the end`);
  }
  return { lines, mostMib };
}
