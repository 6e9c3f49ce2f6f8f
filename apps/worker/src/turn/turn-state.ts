import type { TurnEnd } from "@synthesis/protocol";

/** accepted: in the journal. started: the prompt may have reached the agent. The rest are ends. */
export type TurnState = "accepted" | "started" | TurnEnd["state"];

/** Every legal edge. `accepted → interrupted` is a worker that died in between. */
const edges: Readonly<Record<TurnState, readonly TurnState[]>> = {
  accepted: ["started", "failed", "cancelled", "interrupted"],
  started: ["completed", "failed", "cancelled", "interrupted"],
  completed: [],
  failed: [],
  cancelled: [],
  interrupted: [],
};

/** The states from which `to` may be reached. */
export function statesBefore(to: TurnState): TurnState[] {
  return (Object.keys(edges) as TurnState[]).filter((from) => edges[from].includes(to));
}
