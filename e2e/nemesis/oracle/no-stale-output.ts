import { sessionOf } from "../conversation/order.ts";
import type { LedgerEntry } from "../ledger/ledger-entry.ts";
import type { Evidence, Violation } from "./evidence.ts";

/** I9: once a newer process of a session has spoken, the older one is silent; and a newer one is of no older epoch. */
export function noStaleOutput({ ledger }: Evidence): readonly Violation[] {
  const found: Violation[] = [];
  for (const [session, lines] of Map.groupBy(ledger, ({ canary }) => sessionOf(canary))) {
    const replaced = new Set<string>();
    let current: LedgerEntry | undefined;
    for (const line of lines) {
      if (line.process === undefined || line.process === current?.process) continue;
      if (replaced.has(line.process)) {
        found.push(
          violation(session, `process ${line.pid} goes on after ${current?.pid} has taken its place`),
        );
      }
      if (current !== undefined && (line.epoch ?? 0) < (current.epoch ?? 0)) {
        found.push(violation(session, `epoch ${line.epoch} speaks after epoch ${current.epoch}`));
      }
      if (current?.process !== undefined) replaced.add(current.process);
      current = line;
    }
  }
  return found;
}

function violation(subject: string, message: string): Violation {
  return { invariant: "I9", subject, message };
}
