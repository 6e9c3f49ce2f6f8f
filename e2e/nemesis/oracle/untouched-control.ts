import type { ClientTurn } from "../client/client-turn.ts";
import { isGlobal, type FaultRecord } from "../faults/fault.ts";
import type { Evidence, Violation } from "./evidence.ts";

/** How long after a fault that disturbs all a client may still notice it, in ms: a gateway has to come back. */
const AFTERMATH_MS = 5_000;

/** I8: a workspace that nothing was done to sees no error while nothing is done to what all share. */
export function untouchedControl({ clients, faults, control }: Evidence): readonly Violation[] {
  const shared = faults.filter((record) => record.target !== undefined && isGlobal(record));
  return clients
    .filter(({ workspace }) => control.has(workspace))
    .filter((turn) => !shared.some((record) => meets(turn, record)))
    .flatMap((turn) =>
      turn.attempts.flatMap(({ outcome }) => {
        if (outcome.kind === "completed" || outcome.kind === "left") return [];
        if (turn.manner === "cancels" && outcome.kind === "error" && outcome.code === "turn_cancelled")
          return [];
        const what = outcome.kind === "error" ? `${outcome.code} (${outcome.message})` : outcome.kind;
        return [
          {
            invariant: "I8",
            subject: turn.order.canary,
            message: `saw ${what} in workspace ${turn.workspace}, which nothing was done to`,
          } satisfies Violation,
        ];
      }),
    );
}

function meets(turn: ClientTurn, { at, overAt = at }: FaultRecord): boolean {
  return turn.at <= overAt + AFTERMATH_MS && turn.endedAt >= at;
}
