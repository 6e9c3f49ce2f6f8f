import type { ClientTurn } from "../client/client-turn.ts";
import { sessionOf } from "../conversation/order.ts";
import type { LedgerEntry } from "../ledger/ledger-entry.ts";
import type { Evidence, JournalTurn, Violation } from "./evidence.ts";

/** I3: the turns of a session start in the order of their acceptance, one at a time. */
export function startOrder({ journal, ledger, clients }: Evidence): readonly Violation[] {
  const place = new Map<string, number>();
  for (const [index, { type, turn, canary }] of ledger.entries()) {
    if (type !== "taken") continue;
    if (turn !== undefined && !place.has(turn)) place.set(turn, index);
    if (!place.has(canary)) place.set(canary, index);
  }
  return [...byAcceptance(journal, place), ...byAdmission(clients, place), ...overlaps(ledger)];
}

function byAcceptance(
  journal: readonly JournalTurn[],
  place: ReadonlyMap<string, number>,
): readonly Violation[] {
  const found: Violation[] = [];
  for (const [session, rows] of Map.groupBy(journal, (row) => row.session)) {
    const started = rows.filter(({ id }) => place.has(id));
    for (const [index, { id }] of started.entries()) {
      const before = started[index - 1];
      if (before !== undefined && (place.get(before.id) ?? 0) > (place.get(id) ?? 0)) {
        found.push(violation(session, `turn ${id} was accepted after ${before.id} and started before it`));
      }
    }
  }
  return found;
}

/** A turn whose admission its client saw before it posted another one of the session goes first. */
function byAdmission(
  clients: readonly ClientTurn[],
  place: ReadonlyMap<string, number>,
): readonly Violation[] {
  const found: Violation[] = [];
  for (const [session, turns] of Map.groupBy(clients, (turn) => turn.session)) {
    const undisturbed = turns.filter(({ attempts, streamed }) => attempts.length === 1 && streamed);
    for (const first of undisturbed) {
      const admittedAt = first.attempts[0]?.headersAt ?? Infinity;
      for (const second of undisturbed.filter((turn) => turn !== first && turn.at > admittedAt)) {
        const [a, b] = [place.get(first.order.canary), place.get(second.order.canary)];
        if (a === undefined || b === undefined || a < b) continue;
        const [early, late] = [first.order.canary, second.order.canary];
        found.push(
          violation(session, `${late} was posted when ${early} was admitted, and started before it`),
        );
      }
    }
  }
  return found;
}

/** Between the first and the last line of a turn there is none of another turn of its session. */
function overlaps(ledger: readonly LedgerEntry[]): readonly Violation[] {
  const found: Violation[] = [];
  for (const [session, lines] of Map.groupBy(ledger, ({ canary }) => sessionOf(canary))) {
    const left = new Set<string>();
    let current: LedgerEntry | undefined;
    for (const line of lines) {
      if (current !== undefined && turnOf(line) !== turnOf(current)) {
        if (left.has(turnOf(line))) {
          found.push(violation(session, `${line.canary} goes on after ${current.canary} has begun`));
        }
        left.add(turnOf(current));
      }
      current = line;
    }
  }
  return found;
}

/** A canary that is asked anew without a key is another turn. */
function turnOf({ turn, canary }: LedgerEntry): string {
  return turn ?? canary;
}

function violation(subject: string, message: string): Violation {
  return { invariant: "I3", subject, message };
}
