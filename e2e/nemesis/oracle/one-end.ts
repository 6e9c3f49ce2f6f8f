import { GATEWAY_ENDS, lastAttempt, type ClientTurn } from "../client/client-turn.ts";
import { toldEnds } from "./client-ends.ts";
import type { Evidence, JournalTurn, Violation } from "./evidence.ts";

const endStates: ReadonlySet<string> = new Set(["completed", "failed", "cancelled", "interrupted"]);

/** Ends that faults explain. Any other error is Synthesis's own. */
const explained: ReadonlySet<string> = new Set([
  "turn_interrupted",
  "agent_unavailable",
  "start_timeout",
  "first_byte_timeout",
  "stall_timeout",
  "tool_timeout",
  "session_lost", // its worker died between acceptance and start, and the memory of its agent with it
]);
/** The state of a turn whose end has this code; every other code is that of a failed one. */
const stateOfCode: Readonly<Record<string, string>> = {
  completed: "completed",
  turn_interrupted: "interrupted",
  turn_cancelled: "cancelled",
};

/** I1: every accepted turn has exactly one end, and whoever asks is told that one. */
export function oneEnd({ journal, clients }: Evidence): readonly Violation[] {
  const rows = new Map(journal.map((row) => [row.id, row]));
  return [
    ...journal
      .filter(({ state }) => !endStates.has(state))
      .map(({ id, state }) => violation(id, `stands as ${state} in the journal, though all is over`)),
    ...clients.flatMap((turn) => [...endOf(turn), ...agreement(turn, rows)]),
  ];
}

function endOf(turn: ClientTurn): readonly Violation[] {
  const { canary } = turn.order;
  const outcome = lastAttempt(turn)?.outcome;
  if (turn.end === "unanswered") return [violation(canary, "got no end before its client gave up")];
  if (outcome?.kind === "truncated") return [violation(canary, `got an answer that is none: ${outcome.why}`)];
  if (outcome?.kind === "error" && !isExplained(turn, outcome.code)) {
    return [
      violation(
        canary,
        `ended with ${outcome.code} (${outcome.status}: ${outcome.message}), which no fault explains`,
      ),
    ];
  }
  return [];
}

function isExplained({ manner, keyed, attempts }: ClientTurn, code: string): boolean {
  if (explained.has(code)) return true;
  // Without a key nothing can be asked of a turn whose gateway has ended, or that was cancelled for its lost client.
  if (code === GATEWAY_ENDS) return !keyed;
  return code === "turn_cancelled" && (manner === "cancels" || (!keyed && attempts.length > 1));
}

function agreement(turn: ClientTurn, rows: ReadonlyMap<string, JournalTurn>): readonly Violation[] {
  const found: Violation[] = [];
  const told = new Map<string, string>();
  for (const { turn: id, end } of toldEnds(turn)) {
    const before = told.get(id) ?? end;
    told.set(id, before);
    if (before !== end) found.push(violation(id, `was told to end with ${before}, then with ${end}`));
    const state = rows.get(id)?.state;
    const expected = stateOfCode[end] ?? "failed";
    if (state === undefined && end === "completed") {
      found.push(violation(id, "was answered, and the journal does not know it"));
    } else if (state !== undefined && state !== expected) {
      found.push(violation(id, `ended with ${end} for its client, and as ${state} in the journal`));
    }
  }
  return found;
}

function violation(subject: string, message: string): Violation {
  return { invariant: "I1", subject, message };
}
