import type { AskSettler, AskVerdict } from "@synthesis/protocol";

/** Something that an agent asks a person, for whoever waits for the verdict. */
export interface PendingAsk {
  /** What the agent is told; never rejects. */
  readonly verdict: Promise<AskVerdict>;
  /** Denies it, unless it has its verdict; where nobody is named, its agent does not need it any more. */
  withdraw(by?: AskSettler): void;
}
