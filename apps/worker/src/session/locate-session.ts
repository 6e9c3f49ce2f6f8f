import type { Locate } from "@synthesis/protocol";
import type { Journal } from "../journal/journal.ts";
import type { Point } from "../journal/point-table.ts";

/** The id of the session that is meant, and the point of its transcript that was asked for; without one: unknown. */
export function locateSession(
  by: Locate["by"],
  { sessions, points, turns }: Pick<Journal, "sessions" | "points" | "turns">,
): { readonly id?: string; readonly point?: Point | undefined } {
  if ("scope" in by) {
    const point = points.latestOfOne(by.scope, by.points);
    return point === undefined ? {} : { id: point.session, point };
  }
  if ("turn" in by) {
    const found = turns.find(by.caller, { turn: by.turn }, 0);
    if (found === undefined) return {};
    const { session: id, end } = found;
    return end === undefined ? { id } : { id, point: points.endOf(id, by.turn) };
  }
  const record = sessions.find(by.session);
  if (record === undefined) return {};
  return { id: record.id, point: points.latestOf(record, by.points ?? []) };
}
