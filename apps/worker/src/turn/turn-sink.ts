import type { TurnEnd, WireError } from "@synthesis/protocol";

/** Where a turn's events go: the gateway that submitted it, as long as it is there. */
export interface TurnSink {
  accepted(): void;
  refused(error: WireError): void;
  text(text: string): void;
  reasoning(text: string): void;
  ended(end: TurnEnd): void;
}
