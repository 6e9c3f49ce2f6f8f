import { canariesIn, sessionOf } from "../conversation/order.ts";
import type { Evidence, Violation } from "./evidence.ts";

/** I4: nothing of one turn is seen in another, in another session or in another workspace. */
export function noCrossing({ clients, ledger }: Evidence): readonly Violation[] {
  const found: Violation[] = [];
  for (const { order, attempts } of clients) {
    const strangers = attempts
      .flatMap(({ text }) => canariesIn(text))
      .filter((seen) => seen !== order.canary);
    for (const stranger of new Set(strangers)) {
      found.push(violation(order.canary, `its client was shown something of ${stranger}`));
    }
  }
  const sessionOfProcess = new Map<string, string>();
  const canaryOfTurn = new Map<string, string>();
  for (const { canary, workspace, process, turn } of ledger) {
    const session = sessionOf(canary);
    if (session.split(".")[0] !== workspace) {
      found.push(violation(canary, `reached an agent of workspace ${workspace}`));
    }
    if (process !== undefined) {
      const known = sessionOfProcess.get(process) ?? session;
      sessionOfProcess.set(process, known);
      if (known !== session) found.push(violation(canary, `reached the process of session ${known}`));
    }
    if (turn !== undefined) {
      const known = canaryOfTurn.get(turn) ?? canary;
      canaryOfTurn.set(turn, known);
      if (known !== canary)
        found.push(violation(canary, `was asked in turn ${turn}, which is that of ${known}`));
    }
  }
  return unique(found);
}

function violation(subject: string, message: string): Violation {
  return { invariant: "I4", subject, message };
}

/** Each line of a ledger that is wrong would say the same. */
function unique(violations: readonly Violation[]): readonly Violation[] {
  return [...new Map(violations.map((one) => [`${one.subject} ${one.message}`, one])).values()];
}
