import { GATEWAY_ENDS, type Attempt, type ClientTurn } from "../client/client-turn.ts";

/** An answer's end as a client was told it: `completed`, or an error's code. */
export interface ToldEnd {
  readonly turn: string;
  readonly end: string;
  readonly attempt: Attempt;
}

/** Every end that a client was told of a turn with an id. None is an error before acceptance, nor the end of a gateway. */
export function toldEnds({ attempts }: ClientTurn): readonly ToldEnd[] {
  return attempts.flatMap((attempt) => {
    const { turn, outcome } = attempt;
    if (turn === undefined) return [];
    if (outcome.kind === "completed") return [{ turn, end: "completed", attempt }];
    if (outcome.kind !== "error" || outcome.isRetryable || outcome.code === GATEWAY_ENDS) return [];
    return [{ turn, end: outcome.code, attempt }];
  });
}
