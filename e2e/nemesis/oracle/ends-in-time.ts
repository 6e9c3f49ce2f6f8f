import type { Evidence, Violation } from "./evidence.ts";

/** I7: every end comes within its deadline: the turn's in the journal, and the client's. */
export function endsInTime({ journal, clients, deadlines }: Evidence): readonly Violation[] {
  const { turnMs, patienceMs } = deadlines;
  return [
    ...journal
      .filter(({ acceptedAt, endedAt }) => endedAt !== null && endedAt - acceptedAt > turnMs)
      .map(({ id, acceptedAt, endedAt }) =>
        violation(
          id,
          `ended ${(endedAt ?? 0) - acceptedAt} ms after its acceptance, not within ${turnMs} ms`,
        ),
      ),
    ...clients
      .filter(({ at, endedAt }) => endedAt - at > patienceMs)
      .map(({ order, at, endedAt }) =>
        violation(
          order.canary,
          `had its end ${endedAt - at} ms after its request, not within ${patienceMs} ms`,
        ),
      ),
  ];
}

function violation(subject: string, message: string): Violation {
  return { invariant: "I7", subject, message };
}
