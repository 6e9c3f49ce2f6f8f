import { abortable } from "@synthesis/kit";
import type { Submit, WireError } from "@synthesis/protocol";
import type { WorkerLink } from "../worker/worker-link.ts";
import type { TurnDraft } from "./turn-draft.ts";
import { isPassing, type WorkerReach } from "./worker-reach.ts";

/** The last thing that a link said of a turn. */
export type LinkOutcome =
  | { readonly type: "accepted" }
  | { readonly type: "refused"; readonly error: WireError }
  | { readonly type: "over" }
  | { readonly type: "lost" };

export interface HandOverOptions {
  readonly draft: TurnDraft;
  readonly reach: WorkerReach;
  /** Aborts when it is not to be run any more, as long as certainly no worker has it. */
  readonly stop: AbortSignal;
  /** Aborts when the gateway closes. */
  readonly closing: AbortSignal;
  /** From now on the worker may have it; what it says. */
  submit(link: WorkerLink, order: Submit): Promise<LinkOutcome>;
  /** No worker has it, after all. */
  onRefused(): void;
  /** The last event that came of it. */
  latestSeq(): number;
}

type Composed = { readonly link: WorkerLink; readonly order: Submit };
type Before = { readonly drained?: WorkerLink; readonly refusal?: WireError };

/**
 * Waits for a turn's time, and hands it to one worker after the other till one accepts it. Rejects with the reason of
 * `stop` or `closing`, and why there is no order, or no worker.
 */
export async function handOver(options: HandOverOptions): Promise<void> {
  const { draft, reach, stop, closing } = options;
  await draft.whenFirst(stop);
  let { link, order } = await compose(options);
  for (;;) {
    const outcome = await abortable(options.submit(link, order), closing);
    if (outcome.type === "accepted" || outcome.type === "over") return;
    if (outcome.type === "lost") {
      link = await reach.again(options.latestSeq()); // with the same order: it may have it
      continue;
    }
    options.onRefused();
    const { error } = outcome;
    const before = error.code === "worker_draining" ? { drained: link } : { refusal: error };
    ({ link, order } = await compose(options, before));
  }
}

/** The order for the turn's worker, and the link to it. A worker that is being started again is waited for. */
async function compose(
  { draft, reach, stop }: HandOverOptions,
  { drained, refusal }: Before = {},
): Promise<Composed> {
  for (;;) {
    const link = await reach.first(stop, drained);
    try {
      const order = await abortable(draft.compose(link, refusal), stop);
      stop.throwIfAborted();
      return { link, order };
    } catch (error) {
      stop.throwIfAborted();
      if (link.isOpen || !isPassing(error)) throw error;
    }
  }
}
