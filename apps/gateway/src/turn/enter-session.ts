import { WireFailure } from "@synthesis/protocol";
import type { LiveTurn } from "./live-turn.ts";
import type { LiveTurns } from "./live-turns.ts";
import type { SessionQueues, Ticket } from "./session-queues.ts";

/**
 * What a request wants where its session is at work. queue: to wait. reject: an error. interrupt: that the turn whose
 * time it is be cancelled, and to be next; what waits goes on waiting. steer: to be told to the agent within the
 * running turn, and where the agent does not take it up, to wait.
 */
export const busyPolicies = ["queue", "reject", "interrupt", "steer"] as const;
export type BusyPolicy = (typeof busyPolicies)[number];

export interface SessionEntry {
  /** Names the session among those of all workspaces. */
  readonly place: string;
  /** Id of the turn that enters. */
  readonly turn: string;
  /** As in its `RequestIdentity`. */
  readonly caller: string;
  readonly policy: BusyPolicy;
}

/** A hint: the truth depends on the turn. */
const RETRY_AFTER_MS = 5_000;

/** Gives a turn its place in its session. Throws `session_busy` and `queue_full`. */
export function enterSession(
  { place, turn, caller, policy }: SessionEntry,
  { queues, turns }: { readonly queues: SessionQueues; readonly turns: LiveTurns },
): {
  readonly ticket: Ticket;
  /** The running turn that it is to steer. */
  readonly steers: LiveTurn | undefined;
} {
  const running = turns.running(place);
  if (policy === "reject" && (running !== undefined || queues.isBusy(place))) {
    const message = "the session is at work: ask again when its turn is over, or without x-synthesis-busy";
    throw new WireFailure("session_busy", message, { retryAfterMs: RETRY_AFTER_MS });
  }
  const ticket = queues.enter(place, turn, policy === "interrupt" ? "next" : "last");
  if (policy === "interrupt") {
    const first = queues.first(place);
    const due = first === turn || first === undefined ? undefined : turns.find(caller, { turn: first });
    (running ?? due)?.cancel("interrupted by a newer request");
  }
  return { ticket, steers: policy === "steer" ? running : undefined };
}
