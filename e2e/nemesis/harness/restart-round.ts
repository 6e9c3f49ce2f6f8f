import { sleep } from "@synthesis/kit";
import type { ClientTurn, TurnPlan } from "../client/client-turn.ts";
import { driveTurn, type Driver } from "../client/drive-turn.ts";
import type { Instance } from "../instance/instance.ts";

/** Turns of the busy workspace at the start of a round. */
export interface BusyLoad {
  readonly running: number;
  /** Spread evenly over the sessions of the running ones. */
  readonly waiting: number;
}

/** What clients saw in one round. */
export interface RoundResult {
  readonly busy: readonly ClientTurn[];
  /** From request to end, of the turns in the other workspaces, in ms. */
  readonly elsewhereMs: readonly number[];
  readonly elsewhere: readonly ClientTurn[];
}

const PATIENCE_MS = 120_000;
/** Pause of a client elsewhere between two turns, in ms. */
const PACE_MS = 50;
const POLL_MS = 20;

/** Turns of all rounds: no canary comes twice. */
let turns = 0;

/** One round: the busy workspace has its turns, the others theirs; `disturb` runs as soon as all are under way. */
export async function restartRound(
  instance: Instance,
  load: BusyLoad,
  disturb: () => Promise<void>,
): Promise<RoundResult> {
  const [busyWorkspace, ...others] = instance.workspaces;
  if (busyWorkspace === undefined) throw new Error("there is no workspace to be busy");
  const perSession = 1 + load.waiting / load.running;
  const door = { port: instance.port, host: `127.0.0.1:${instance.port}`, key: instance.key };
  const driver = (workspace: Driver["workspace"], session: string): Driver => {
    return { door, workspace, session: `${workspace.name}.${session}`, patienceMs: PATIENCE_MS };
  };
  const over = new AbortController();
  const elsewhere: ClientTurn[] = [];
  const clients = others.flatMap((workspace) =>
    ["s1", "s2", "s3"].map(async (session) => {
      const own = driver(workspace, session);
      while (!over.signal.aborted) {
        elsewhere.push(await driveTurn(own, plan(`${own.session}.${(turns += 1)}`, 4, 5)));
        await sleep(PACE_MS);
      }
    }),
  );
  const busy = Array.from({ length: load.running * perSession }, async (_, index) => {
    const own = driver(busyWorkspace, `s${(index % load.running) + 1}`);
    // In the order of their sessions' queues: the first ones run.
    await sleep(index);
    return driveTurn(own, plan(`${own.session}.${(turns += 1)}`, 10, 100));
  });
  while (((await instance.health())?.turns ?? 0) < load.running) await sleep(POLL_MS);
  elsewhere.length = 0;
  await disturb();
  const done = await Promise.all(busy);
  over.abort();
  await Promise.all(clients);
  return { busy: done, elsewhere, elsewhereMs: elsewhere.map(({ at, endedAt }) => endedAt - at) };
}

function plan(canary: string, parts: number, everyMs: number): TurnPlan {
  const order = { canary, parts, everyMs, partBytes: 24, usesTool: false };
  return { order, streamed: true, keyed: false, resumesBy: "post", manner: "stays", afterMs: 0 };
}
