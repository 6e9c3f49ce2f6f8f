import { isCompleted, type ClientTurn } from "../client/client-turn.ts";
import type { Instance } from "../instance/instance.ts";
import { quantile } from "./quantile.ts";
import { restartRound, type BusyLoad, type RoundResult } from "./restart-round.ts";
import { startProcesses } from "./start-processes.ts";

const kinds = ["quiet", "starts", "restart"] as const;
type Kind = (typeof kinds)[number];

/** Rounds of each kind in turn: undisturbed, with unrelated program starts, with a restart. True where no client saw an error. */
export async function compareRounds(
  instance: Instance,
  load: BusyLoad,
  count: number,
  say: (line: string) => void,
): Promise<boolean> {
  const rounds: Record<Kind, RoundResult[]> = { quiet: [], starts: [], restart: [] };
  const disturb: Record<Kind, () => Promise<void>> = {
    quiet: async () => {},
    // A worker, its agents and the command itself.
    starts: async () => startProcesses(load.running + 2),
    restart: async () => restart(instance),
  };
  await restartRound(instance, load, disturb.quiet); // everything is warm afterwards
  for (let round = 1; round <= count; round++) {
    for (const kind of kinds) {
      const result = await restartRound(instance, load, disturb[kind]);
      rounds[kind].push(result);
      say(`round ${round}: ${described(kind, [result])}`);
    }
  }
  for (const kind of kinds) say(`all rounds: ${described(kind, rounds[kind])}`);
  const p99 = (kind: Kind) => quantile(elsewhereMs(rounds[kind]), 0.99);
  const ratio = (kind: Kind) => (p99("restart") / p99(kind)).toFixed(2);
  say(`p99 elsewhere in rounds with a restart: ${ratio("quiet")} times that of quiet ones,`);
  say(`  ${ratio("starts")} times that of ones with as many program starts`);
  const turns = kinds
    .flatMap((kind) => rounds[kind])
    .flatMap(({ busy, elsewhere }) => [...busy, ...elsewhere]);
  const disturbed = turns.filter(isDisturbed);
  for (const { order, attempts } of disturbed) {
    say(`${order.canary}: ${JSON.stringify(attempts.map(({ outcome }) => outcome))}`);
  }
  say(`${disturbed.length} of ${turns.length} turns were disturbed`);
  return disturbed.length === 0;
}

async function restart(instance: Instance): Promise<void> {
  const code = await instance.command("restart", instance.workspaces[0]?.name ?? "");
  if (code !== 0) throw new Error(`synthesis restart ended with ${code}`);
}

/** It failed, or its client had to ask twice. */
function isDisturbed(turn: ClientTurn): boolean {
  return !isCompleted(turn) || turn.attempts.length > 1;
}

function elsewhereMs(results: readonly RoundResult[]): readonly number[] {
  return results.flatMap((result) => result.elsewhereMs);
}

function described(kind: Kind, results: readonly RoundResult[]): string {
  const times = elsewhereMs(results);
  const [p50, p99] = [quantile(times, 0.5), quantile(times, 0.99)];
  return `${kind}: ${times.length} turns elsewhere, p50 ${p50} ms, p99 ${p99} ms`;
}
