import { isCompleted } from "../client/client-turn.ts";
import type { LedgerEntry } from "../ledger/ledger-entry.ts";
import type { Evidence, Violation } from "./evidence.ts";

type Taken = Extract<LedgerEntry, { type: "taken" }>;

/**
 * I2: what a client asked once is taken up by an agent at most once. A turn that failed or was cancelled
 * before its client was told anything does not count: its request may be repeated. A workspace in `resumable` has its cut
 * turns finished by the next process: there the same turn may be taken up once more, by another process.
 */
export function oneStart(evidence: Evidence): readonly Violation[] {
  const { ledger, clients, journal, resumable } = evidence;
  const told = new Set(
    clients.flatMap(({ attempts }) => attempts.flatMap(({ turn, text }) => (text === "" ? [] : [turn]))),
  );
  const vain = new Set(
    journal.flatMap(({ id, state }) => (state === "failed" || state === "cancelled" ? [id] : [])),
  );
  const starts = Map.groupBy(
    ledger.filter((entry): entry is Taken => entry.type === "taken"),
    ({ canary }) => canary,
  );
  const keyed = new Set(clients.filter((turn) => turn.keyed).map(({ order }) => order.canary));
  return [
    ...[...starts].flatMap(([canary, taken]) => {
      const workspace = taken[0]?.workspace ?? "";
      const counted = taken.filter(({ turn = "" }) => told.has(turn) || !vain.has(turn));
      return tooMany(counted, { isKeyed: keyed.has(canary), isResumable: resumable.has(workspace) }).map(
        (message): Violation => ({ invariant: "I2", subject: canary, message }),
      );
    }),
    ...clients
      .filter((turn) => isCompleted(turn) && !starts.has(turn.order.canary))
      .map(({ order }): Violation => ({
        invariant: "I2",
        subject: order.canary,
        message: "was answered, and no agent has taken it up",
      })),
  ];
}

interface Circumstances {
  /** Its client gave an `Idempotency-Key`: without one, a turn that ended before it began may be a new one. */
  readonly isKeyed: boolean;
  readonly isResumable: boolean;
}

function tooMany(taken: readonly Taken[], { isKeyed, isResumable }: Circumstances): readonly string[] {
  const messages: string[] = [];
  const turns = Map.groupBy(taken, ({ turn }) => turn);
  if (isKeyed && turns.size > 1) {
    messages.push(`has an Idempotency-Key and was started as turns ${[...turns.keys()].join(", ")}`);
  }
  for (const [turn, starts] of turns) {
    const processes = new Set(starts.map(({ process }) => process));
    if (starts.length > (isResumable ? 2 : 1))
      messages.push(`turn ${turn} was started ${starts.length} times`);
    else if (processes.size < starts.length) messages.push(`turn ${turn} was started twice by one process`);
  }
  return messages;
}
