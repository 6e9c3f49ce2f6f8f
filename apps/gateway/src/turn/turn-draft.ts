import type { Prompt, Submit, WireError } from "@synthesis/protocol";
import type { WorkerLink } from "../worker/worker-link.ts";

/** A turn that is still to be handed to a worker. */
export interface TurnDraft {
  /** Resolves when its time has come. Rejects with the signal's reason. */
  whenFirst(signal: AbortSignal): Promise<void>;
  /**
   * The order for this worker, by what it knows of the session now; `refusal`: why it refused the order before.
   * Rejects with a `WireFailure`: `worker_unavailable` where it could not be asked, else why there is no other order.
   */
  compose(link: WorkerLink, refusal?: WireError): Promise<Submit>;
  /**
   * What its client says now, to be told to the agent within the turn of its session that runs; undefined: that cannot
   * be. Rejects with a `WireFailure`.
   */
  steering(link: WorkerLink): Promise<Prompt | undefined>;
  /** A worker has accepted it: it is no longer one that waits. */
  accepted(): void;
}
