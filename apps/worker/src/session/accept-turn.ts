import { WireFailure } from "@synthesis/protocol";
import type { Journal } from "../journal/journal.ts";
import { originOf, type TurnOrigin } from "../journal/turn-origin.ts";
import type { Turn } from "../turn/turn.ts";
import type { SessionAgent } from "./session-agent.ts";

/** Where a turn goes on from. Of one that an earlier generation accepted, its session has been brought there. */
export function originOfTurn({ state, order }: Turn, journal: Journal): TurnOrigin {
  return state === "waiting" ? originOf(order, journal) : { kind: "end" };
}

/**
 * Accepts a turn, if its agent remembers what it relies on; the session begins anew where it does not rely on anything.
 * Rejects with what keeps it from being accepted.
 */
export async function acceptTurn(turn: Turn, agent: SessionAgent, journal: Journal): Promise<void> {
  const { canBranch } = agent;
  if (turn.state === "started") return void turn.accept({ canBranch }); // it is Claude's already
  const lost = await lostFor(turn, agent, journal);
  turn.cancel.throwIfAborted();
  agent.throwIfClosing();
  const origin = originOfTurn(turn, journal); // another session that it branches off may have changed meanwhile
  turn.accept({ origin, reset: lost, canBranch });
  if (lost !== undefined) agent.beginAnew(lost, turn);
}

/**
 * Why its session begins anew for a turn that is about to be accepted, without the client's wish; undefined: it does
 * not. Rejects where the turn relies on what its agent does not remember.
 */
async function lostFor(turn: Turn, agent: SessionAgent, journal: Journal): Promise<string | undefined> {
  const origin = originOfTurn(turn, journal);
  const { needsMemory } = turn.order;
  if (origin.kind === "branch") {
    const lost = await agent.lostPlace(origin.place);
    if (lost === undefined) return undefined;
    throw new WireFailure("session_lost", lost);
  }
  const lost = origin.kind === "anew" ? undefined : await agent.lostMemory();
  if (needsMemory && lost !== undefined) throw lostBefore(turn, lost);
  if (needsMemory && (origin.kind === "anew" || !agent.hasBegun))
    throw new WireFailure("session_lost", "the agent was told nothing of the session yet");
  return lost;
}

/** A gateway composes a turn that is refused for it anew; of one that an earlier generation accepted its client has to know. */
function lostBefore({ state }: Turn, lost: string): WireFailure {
  if (state === "waiting") return new WireFailure("session_lost", lost);
  const message = `${lost}, before the message was told to it: send it again, under another Idempotency-Key if it has one`;
  return new WireFailure("session_lost", message, { retryAfterMs: 1_000 });
}
