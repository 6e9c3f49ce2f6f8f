import { lastAttempt, type ClientTurn } from "../client/client-turn.ts";
import type { FaultRecord } from "../faults/fault.ts";
import type { RunReport } from "./nemesis-run.ts";

/** Violations that are written out; the rest is in the logs. */
const SHOWN = 40;

/** A report for people. */
export function summary({ evidence, violations, kills, folder }: RunReport): string {
  const { clients, faults, control } = evidence;
  const hit = faults.filter(({ target }) => target !== undefined);
  const quiet = clients.filter(({ workspace }) => control.has(workspace));
  const attempts = clients.reduce((sum, turn) => sum + turn.attempts.length, 0);
  const lines = [
    "",
    `${kills} kills among ${hit.length} faults: ${counted(hit.map(nameOf))}`,
    `${clients.length} turns in ${attempts} requests: ${counted(clients.map(endOf))}`,
    `control group: ${quiet.length} turns, first text p50 ${firstTextMs(quiet, 0.5)} ms, p99 ${firstTextMs(quiet, 0.99)} ms`,
    violations.length === 0 ? "no violation of I1 to I9" : `${violations.length} VIOLATIONS`,
    ...violations
      .slice(0, SHOWN)
      .map(({ invariant, subject, message }) => `  ${invariant} ${subject}: ${message}`),
    ...(folder === undefined ? [] : [`logs: ${folder}`]),
  ];
  return lines.join("\n");
}

function nameOf({ fault }: FaultRecord): string {
  if (fault.kind === "toxic") return fault.toxic.type;
  return "role" in fault ? `${fault.kind} ${fault.role}` : fault.kind;
}

function endOf(turn: ClientTurn): string {
  if (turn.end !== "answered") return turn.end;
  const outcome = lastAttempt(turn)?.outcome;
  return outcome?.kind === "error" ? outcome.code : (outcome?.kind ?? "none");
}

function firstTextMs(turns: readonly ClientTurn[], share: number): string {
  const waits = turns
    .flatMap(({ at, attempts }) => {
      const first = attempts[0]?.pieces[0];
      return first === undefined ? [] : [first[0] - at];
    })
    .sort((a, b) => a - b);
  return String(waits[Math.min(waits.length - 1, Math.floor(waits.length * share))] ?? "-");
}

function counted(names: readonly string[]): string {
  const counts = [...Map.groupBy(names, (name) => name)].map(([name, all]) => [name, all.length] as const);
  return counts
    .sort(([, a], [, b]) => b - a)
    .map(([name, count]) => `${count} ${name}`)
    .join(", ");
}
