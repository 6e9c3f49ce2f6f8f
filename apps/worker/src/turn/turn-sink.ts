import type { TurnEnd, WireError } from "@synthesis/protocol";
import type { NumberedTurnEvent } from "./turn-event.ts";

/** Who follows a turn: a gateway's link, as long as it is there. */
export interface TurnSink {
  /** It stands in the journal; `reset`: its session was begun anew for it, and why. */
  accepted(turn: string, reset?: string): void;
  refused(turn: string, error: WireError): void;
  event(turn: string, event: NumberedTurnEvent): void;
  ended(turn: string, seq: number, end: TurnEnd): void;
  /** It cannot be followed from where that was asked for. */
  gone(turn: string, end?: TurnEnd): void;
}
