import type { CloseReason } from "@synthesis/kit";

/** A program as the driver sees it that speaks with it over the bridge. It ends once, for the first reason given. */
export interface Child {
  /** Process id, where it could be started. */
  readonly pid: number | undefined;
  readonly isAlive: boolean;
  /** Settles once, when the program and everything that was started with it is gone. */
  readonly closed: Promise<CloseReason>;
  /** Asks it to end, then kills it; resolves when {@link closed} does. */
  close(reason: CloseReason): Promise<void>;
  /** Ends it at once; resolves when {@link closed} does. */
  kill(reason: CloseReason): Promise<void>;
}
