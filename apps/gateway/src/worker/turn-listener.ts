import type {
  Asked,
  AskSettled,
  Delta,
  Reasoning,
  ToolCalled,
  TurnEnd,
  WireError,
} from "@synthesis/protocol";

/** What a turn says on its way, numbered. */
export type TurnEvent = Delta | Reasoning | ToolCalled | Asked | AskSettled;

/** Who is told what becomes of a turn. One of `onRefused`, `onEnded`, `onGone` and `onLost` comes last. */
export interface TurnListener {
  /** `reset`: its session was begun anew for it, and why. */
  onAccepted(reset: string | undefined): void;
  onRefused(error: WireError): void;
  onEvent(event: TurnEvent): void;
  onEnded(seq: number, end: TurnEnd): void;
  /** It cannot be followed; how it ended, where that is known. */
  onGone(end: TurnEnd | undefined): void;
  /** The link is lost; the turn may go on. */
  onLost(): void;
}
