import type { HostTurn, TurnHost } from "./hosted-turn.ts";
import type { TurnDraft } from "./turn-draft.ts";

/** What an answer ends with that another turn gives: that turn, or the next question there that can be answered. */
export type HostedEnd = "turn" | "question";

/** A client that reads its answer whole could not answer a question before its end. */
export function hostedEnd({ isStreamed }: { readonly isStreamed: boolean }): HostedEnd {
  return isStreamed ? "turn" : "question";
}

/**
 * How a turn comes to its events. submit: it is handed to a worker. steer: its message is put into a running turn, and
 * only where that does not take it up it is handed to a worker. settle: its message settled what a running turn asked,
 * whose events are its own from there on. follow: a worker has accepted it.
 */
export type TurnWay =
  | { readonly type: "submit"; readonly draft: TurnDraft }
  | {
      readonly type: "steer";
      readonly draft: TurnDraft;
      readonly into: HostTurn;
      readonly endsWith: HostedEnd;
    }
  | { readonly type: "settle"; readonly host: TurnHost; readonly endsWith: HostedEnd }
  | { readonly type: "follow" };

/** What it may have to hand to a worker. */
export function draftOf(way: TurnWay): TurnDraft | undefined {
  return "draft" in way ? way.draft : undefined;
}
