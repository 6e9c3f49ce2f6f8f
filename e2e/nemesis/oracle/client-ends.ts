import type { Attempt, ClientTurn } from "../client/client-turn.ts";

/** An answer's end as a client was told it: `completed`, or an error's code. */
export interface ToldEnd {
  readonly turn: string;
  readonly end: string;
  readonly attempt: Attempt;
}

/** Every end that a client was told of a turn with an id. Errors before acceptance are none: they may be repeated. */
export function toldEnds({ attempts }: ClientTurn): readonly ToldEnd[] {
  return attempts.flatMap((attempt) => {
    const { turn, outcome } = attempt;
    if (turn === undefined) return [];
    if (outcome.kind === "completed") return [{ turn, end: "completed", attempt }];
    if (outcome.kind === "error" && !outcome.isRetryable) return [{ turn, end: outcome.code, attempt }];
    return [];
  });
}
