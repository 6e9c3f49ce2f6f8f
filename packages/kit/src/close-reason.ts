/** Why a long-lived object ended. The first reason given wins and is the one that is reported. */
export interface CloseReason {
  /** A fixed word for code and metrics, such as `evicted` or `exited`. */
  readonly code: string;
  /** One sentence for people. */
  readonly message: string;
}
