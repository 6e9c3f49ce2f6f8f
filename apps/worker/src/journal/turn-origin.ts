import { EMPTY_TRANSCRIPT, WireFailure, type Submit } from "@synthesis/protocol";
import type { Point, PointTable } from "./point-table.ts";
import type { AgentPlace, SessionTable } from "./session-table.ts";

/** Where in its session's transcript, or in another's, a turn goes on from. */
export type TurnOrigin =
  /** From its end; `at` is the point that the client named for it: what there is after it, it dropped. */
  | { readonly kind: "end"; readonly at?: Point }
  /** From nothing: the client wants the session to begin anew. */
  | { readonly kind: "anew" }
  /** From an earlier point, of the session itself or of another one. */
  | { readonly kind: "branch"; readonly at: Point; readonly place: AgentPlace };

interface Tables {
  readonly sessions: Pick<SessionTable, "find">;
  readonly points: Pick<PointTable, "find" | "hasAny">;
}

/**
 * Where a turn goes on from, as things are now. Throws `history_changed` where the point that it follows is not
 * there, `session_lost` where it is, and its agent cannot go back to it.
 */
export function originOf(order: Submit, { sessions, points }: Tables): TurnOrigin {
  const { session, request, follows, branchOf, isStateless } = order;
  if (follows === undefined || isStateless === true) return { kind: "end" };
  const record = sessions.find(session.id);
  const own = record && points.find(record, follows);
  if (own?.isHead === true) return { kind: "end", at: own };
  if (follows === EMPTY_TRANSCRIPT) return { kind: points.hasAny(session.id) ? "anew" : "end" };
  const parent = branchOf === undefined ? undefined : sessions.find(branchOf);
  const isTheirs = parent?.caller === request.caller;
  const at = own ?? (parent && isTheirs ? points.find(parent, follows) : undefined);
  if (at === undefined) {
    const message = "the conversation went on meanwhile: send the request again";
    throw new WireFailure("history_changed", message, { retryAfterMs: 1_000 });
  }
  if (at.place === undefined)
    throw new WireFailure("session_lost", "the agent cannot go back to an earlier point of the session");
  return { kind: "branch", at, place: at.place };
}
